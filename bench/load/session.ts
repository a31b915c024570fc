import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FakeTargets, startFakeTargets } from './fake-targets.ts'
import { isInstalled, type RunningSystem, scrapeConfig, startSystem, type SystemName } from './systems.ts'

const SCRAPING_ATTEMPTS_MAX = 120

export interface SessionOptions {
  readonly systems: readonly SystemName[]
  readonly targets: number
  readonly intervalMs: number
  readonly withHistograms: boolean
}

export interface Session {
  readonly fakeTargets: FakeTargets
  readonly systems: readonly RunningSystem[]
}

/**
 * Runs the systems side by side on the same targets and ends them, whatever happens; their folder goes too. Systems that
 * are not installed are left out and named.
 */
export async function withSession<T>(options: SessionOptions, use: (session: Session) => Promise<T>): Promise<T> {
  const present = options.systems.filter(isInstalled)
  for (const name of options.systems) if (!present.includes(name)) console.log(`${name}: not here, left out`)
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const folder = await mkdtemp(join(tmpdir(), 'belltower-bench-'))
  const fakeTargets = await startFakeTargets(options)
  const systems: RunningSystem[] = []
  let onInterrupt = (): void => undefined
  const interrupted = new Promise<never>((_resolve, reject) => {
    onInterrupt = () => reject(new Error('interrupted'))
  })
  process.once('SIGINT', onInterrupt)
  try {
    const config = scrapeConfig(fakeTargets, { count: options.targets, intervalMs: options.intervalMs })
    for (const name of present) systems.push(await startSystem(name, folder, config))
    const run = async (): Promise<T> => {
      await Promise.all(systems.map((system) => untilScraping(system, options.targets * fakeTargets.seriesPerTarget)))
      return use({ fakeTargets, systems })
    }
    return await Promise.race([run(), interrupted])
  } finally {
    process.removeListener('SIGINT', onInterrupt)
    await Promise.all(systems.map((system) => system.stop()))
    await fakeTargets.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Prometheus begins some seconds after it says that it is ready. */
async function untilScraping(system: RunningSystem, samples: number): Promise<void> {
  for (let attempt = 0; (await system.samplesStored()) < samples; attempt++) {
    if (attempt === SCRAPING_ATTEMPTS_MAX) throw new Error(`${system.name} does not scrape all targets`)
    await sleepSeconds(0.5)
  }
}

export const sleepSeconds = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000))
