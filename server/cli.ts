#!/usr/bin/env node
/** The command `belltower`. Each command's modules are loaded when it is called: one that runs for long holds only its own. */
import './v8-settings.ts'
import { Command, CommanderError } from 'commander'
import { AppError, errorMessage } from '../lib/errors.ts'
import type { ConfigError } from '../lib/yaml-config.ts'
import { addFlags, readFlags, SERVER_FLAGS } from './flags.ts'
import { startQueryWorker } from './query/early-start.ts'
import { VERSION } from './version.ts'

const program = new Command('belltower')
  .description('The whole Prometheus stack in one process.')
  .version(VERSION)
  .exitOverride()
  .showSuggestionAfterError()

/** Commands by name, in the order of the help text; each adds itself. */
const COMMANDS: Readonly<Record<string, () => Promise<void>>> = {
  async server() {
    const server = new Command('server').description('everything in one process (default)').exitOverride()
    addFlags(server, SERVER_FLAGS).action(async () => {
      const flags = readFlags(server, SERVER_FLAGS)
      // It comes up beside all that this thread has to load.
      const firstWorker = startQueryWorker()
      const { runServer } = await import('./main.ts')
      await runServer(flags, process.env, firstWorker)
    })
    program.addCommand(server, { isDefault: true })
  },
  async pushgateway() {
    const { PUSHGATEWAY_FLAGS, runStandalonePushgateway } = await import('./standalone-pushgateway.ts')
    const pushgateway = new Command('pushgateway').description('the Pushgateway alone').exitOverride()
    addFlags(pushgateway, PUSHGATEWAY_FLAGS).action(() =>
      runStandalonePushgateway(readFlags(pushgateway, PUSHGATEWAY_FLAGS)),
    )
    program.addCommand(pushgateway)
  },
  async alertmanager() {
    const { ALERTMANAGER_FLAGS, runStandaloneAlertmanager } = await import('./standalone-alertmanager.ts')
    const alertmanager = new Command('alertmanager').description('the Alertmanager alone').exitOverride()
    addFlags(alertmanager, ALERTMANAGER_FLAGS).action(() =>
      runStandaloneAlertmanager(readFlags(alertmanager, ALERTMANAGER_FLAGS)),
    )
    program.addCommand(alertmanager)
  },
  check: async () => (await import('./check-command.ts')).registerCheckCommand(program),
  test: async () => (await import('./commands/test-rules.ts')).registerTestCommand(program),
  alert: async () => (await import('./commands/alert.ts')).registerAlertCommand(program),
  silence: async () => (await import('./commands/silence.ts')).registerSilenceCommand(program),
  routes: async () => (await import('./commands/routes.ts')).registerRoutesCommand(program),
  notify: async () => (await import('./commands/notify.ts')).registerNotifyCommand(program),
  oncall: async () => (await import('./commands/oncall.ts')).registerOnCallCommand(program),
  query: async () => (await import('./commands/query.ts')).registerQueryCommand(program),
  tsdb: async () => (await import('./commands/tsdb.ts')).registerTsdbCommand(program),
}

const LEFT_OPEN_MS = 1000

async function run(): Promise<void> {
  try {
    const names = commandsOf(process.argv[2])
    if (!names.includes('server')) process.stdout.once('error', endWithReader)
    for (const name of names) await COMMANDS[name]!()
    await program.parseAsync()
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    // What a start that failed has left open, such as threads, must not keep the process.
    setTimeout(() => process.exit(), LEFT_OPEN_MS).unref()
  }
}

/** Who reads what is printed may have enough of it, as `head` has: that is no failure. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

/** The command that is meant; all of them where they are to be listed, or the name is none of theirs. */
function commandsOf(first: string | undefined): readonly string[] {
  if (first !== undefined && Object.hasOwn(COMMANDS, first)) return [first]
  const isForServer = first === undefined || (first.startsWith('-') && first !== '-h' && first !== '--help')
  return isForServer ? ['server'] : Object.keys(COMMANDS)
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message already; help and version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  // Known by their codes: the classes would bring the reader of configuration files and the HTTP client with them.
  const code = error instanceof AppError ? error.code : ''
  if (code === 'ERR_CONFIG') for (const fault of (error as ConfigError).faults) console.error(fault)
  else if (isExpected(error)) console.error(errorMessage(error))
  else console.error(error instanceof Error ? (error.stack ?? errorMessage(error)) : errorMessage(error))
  return 1
}

const BROKEN: ReadonlySet<string> = new Set(['ERR_INTERNAL', 'ERR_INVARIANT'])

/** Ours, or of the operating system (the disk is full, the port is taken): where in the program it was met helps nobody. */
const isExpected = (error: unknown): boolean =>
  (error instanceof AppError && !BROKEN.has(error.code)) ||
  (error as NodeJS.ErrnoException | undefined)?.syscall !== undefined

// Not awaited: what is joined into one file by the build has no await at its top.
void run()
