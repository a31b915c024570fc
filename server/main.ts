/** The life of the process: configure, build, start in order, wait for a signal, stop in reverse. */
import { existsSync } from 'node:fs'
import { type Logger, systemClock, Turns } from '../lib/index.ts'
import { createLogger } from '../lib/log.ts'
import { collectInSteps } from '../lib/v8-settings.ts'
import type { ParsedFlags } from './flags.ts'
import { Listeners } from './http/listeners.ts'
import type { WaitingWorker } from './query/early-start.ts'
import { settingsOf } from './settings.ts'
import { untilSignal } from './signals.ts'
import { featureWarnings } from './feature-names.ts'
import { buildStack, type Stack } from './stack.ts'
import { VERSION } from './version.ts'

const DEFAULT_CONFIG_FILE = 'belltower.yml'
// By then the first pages of most targets are learnt, which leaves as much behind as the start does.
const SETTLED_MS = 15_000

/** Runs until a signal or `/-/quit` ends it. @throws when it cannot start; what had started is stopped then */
export async function runServer(flags: ParsedFlags, env: NodeJS.ProcessEnv, firstWorker: WaitingWorker): Promise<void> {
  const settings = settingsOf(flags)
  const logger = createLogger({ level: settings.logLevel, format: settings.logFormat })
  for (const warning of [...flags.warnings, ...featureWarnings(settings.features)]) logger.warn(warning)
  const configPath = settings.configPath ?? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined)
  logger.info({ version: VERSION, configPath: configPath ?? 'built in', dataDir: settings.dataDir }, 'starting')

  // The port is taken first: links in notifications name it, and a second process fails before it touches the data.
  const listeners = await Listeners.open(settings, logger)
  const ending = untilSignal(logger)
  let stack: Stack | undefined
  try {
    const { externalUrl } = listeners
    stack = await buildStack(settings, {
      clock: systemClock,
      logger,
      env,
      externalUrl,
      configPath,
      firstWorker,
      turns: new TurnsUntil(ending.told),
      onQueries: (queries, registry) => listeners.serveQueries(queries, registry, settings),
    })
    listeners.serve(stack, { settings, flags: flags.values, quit: ending.now })
    await stack.start()
    process.on('SIGHUP', () => void stack?.reload().catch(() => undefined))
    announce(logger, listeners.url, stack)
    setTimeout(collectInSteps, SETTLED_MS).unref()
    await ending.signal
  } catch (error) {
    // Whoever stops the server while its store is being opened has no failure to hear of.
    if (error !== ending.told.reason) throw error
  } finally {
    logger.info('stopping')
    await listeners.close()
    await stack?.stop()
    logger.info('stopped')
  }
}

/** Breaks work off once the process has been told to stop. */
class TurnsUntil extends Turns {
  readonly #told: AbortSignal

  constructor(told: AbortSignal) {
    super()
    this.#told = told
  }

  override async next(): Promise<void> {
    await super.next()
    this.#told.throwIfAborted()
  }
}

function announce(logger: Logger, url: string, stack: Stack): void {
  const jobs = stack.config().scrapeConfigs.map((job) => job.jobName)
  logger.info({ url, jobs }, 'listening')
  if (process.stdout.isTTY) console.log(`\n  Belltower is at ${url}\n  scraping ${jobs.join(', ') || 'nothing yet'}\n`)
}
