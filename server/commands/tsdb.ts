/** `belltower tsdb …`: works on a data folder that no server has open. */
import type { Command } from 'commander'
import { registerTsdbCareCommands } from './tsdb-care.ts'
import { registerTsdbDataCommands } from './tsdb-data.ts'

export function registerTsdbCommand(program: Command): void {
  const tsdb = program.command('tsdb').description('look after a data folder, bring samples in and take them out')
  registerTsdbDataCommands(tsdb)
  registerTsdbCareCommands(tsdb)
}
