#!/usr/bin/env node
/** The command `belltower`. */
import './v8-settings.ts'
import { Command, CommanderError } from 'commander'
import { errorMessage } from '../lib/index.ts'
import { ConfigError } from '../lib/yaml-config.ts'
import { runStandaloneAlertmanager, ALERTMANAGER_FLAGS } from './standalone-alertmanager.ts'
import { runStandalonePushgateway, PUSHGATEWAY_FLAGS } from './standalone-pushgateway.ts'
import { CommandError } from './commands/alert-client.ts'
import { registerQueryCommand } from './commands/query.ts'
import { registerCheckCommand } from './check-command.ts'
import { registerAlertCommand } from './commands/alert.ts'
import { registerNotifyCommand } from './commands/notify.ts'
import { registerRoutesCommand } from './commands/routes.ts'
import { registerSilenceCommand } from './commands/silence.ts'
import { registerTestCommand } from './commands/test-rules.ts'
import { addFlags, FlagError, readFlags, SERVER_FLAGS } from './flags.ts'
import { runServer } from './main.ts'
import { VERSION } from './version.ts'

const program = new Command('belltower')
  .description('The whole Prometheus stack in one process.')
  .version(VERSION)
  .exitOverride()
  .showSuggestionAfterError()

const server = new Command('server').description('everything in one process (default)').exitOverride()
addFlags(server, SERVER_FLAGS).action(() => runServer(readFlags(server, SERVER_FLAGS), process.env))
program.addCommand(server, { isDefault: true })

const pushgateway = new Command('pushgateway').description('the Pushgateway alone').exitOverride()
addFlags(pushgateway, PUSHGATEWAY_FLAGS).action(() =>
  runStandalonePushgateway(readFlags(pushgateway, PUSHGATEWAY_FLAGS)),
)
program.addCommand(pushgateway)

const alertmanager = new Command('alertmanager').description('the Alertmanager alone').exitOverride()
addFlags(alertmanager, ALERTMANAGER_FLAGS).action(() =>
  runStandaloneAlertmanager(readFlags(alertmanager, ALERTMANAGER_FLAGS)),
)
program.addCommand(alertmanager)

registerCheckCommand(program)
registerTestCommand(program)
registerAlertCommand(program)
registerSilenceCommand(program)
registerRoutesCommand(program)
registerNotifyCommand(program)
registerQueryCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message already; help and version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof ConfigError) for (const fault of error.faults) console.error(fault)
  else if (error instanceof FlagError || error instanceof CommandError) console.error(error.message)
  else console.error(error instanceof Error ? (error.stack ?? errorMessage(error)) : errorMessage(error))
  return 1
}
