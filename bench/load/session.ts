import { loadavg } from 'node:os'
import { makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { type FakeTargets, type FakeTargetsOptions, startFakeTargets } from './fake-targets.ts'
import { isInstalled, type RunningSystem, scrapeConfig, startSystem, type SystemName } from './systems.ts'

const SCRAPING_TIMEOUT_SECONDS = 60

export interface SessionOptions extends FakeTargetsOptions {
  readonly systems: readonly SystemName[]
  readonly targets: number
  /** Of Node, for ours. */
  readonly nodeFlags?: readonly string[]
  /** Gets each line that ours prints. */
  readonly onLine?: (line: string) => void
}

export interface Session {
  readonly fakeTargets: FakeTargets
  readonly systems: readonly RunningSystem[]
  /** Holds the data of each under its name. */
  readonly folder: string
  /** What all of them were started with. */
  readonly config: string
}

/**
 * Runs the systems side by side on the same targets and ends them, whatever happens; their folder goes too. Systems that
 * are not installed are left out and named.
 */
export async function withSession<T>(options: SessionOptions, use: (session: Session) => Promise<T>): Promise<T> {
  const present = options.systems.filter(isInstalled)
  for (const name of options.systems) if (!present.includes(name)) console.log(`${name}: not here, left out`)
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const folder = makeBenchFolder()
  const fakeTargets = await startFakeTargets(options)
  const systems: RunningSystem[] = []
  try {
    const config = scrapeConfig(fakeTargets, { count: options.targets, intervalMs: options.intervalMs })
    for (const name of present) systems.push(await startSystem(name, folder, config, options))
    const samples = options.targets * fakeTargets.seriesPerTarget
    const timeoutSeconds = SCRAPING_TIMEOUT_SECONDS + (3 * options.intervalMs) / 1000
    await Promise.all(systems.map((system) => untilScraping(system, samples, timeoutSeconds)))
    return await use({ fakeTargets, systems, folder, config })
  } finally {
    await Promise.all(systems.map((system) => system.stop()))
    await fakeTargets.close()
    removeBenchFolder(folder)
  }
}

/** Prometheus begins some seconds after it says that it is ready. */
async function untilScraping(system: RunningSystem, samples: number, timeoutSeconds: number): Promise<void> {
  for (let waited = 0; (await system.samplesStored()) < samples; waited += 0.5) {
    if (waited > timeoutSeconds) throw new Error(`${system.name} does not scrape all targets`)
    await sleepSeconds(0.5)
  }
}

export const sleepSeconds = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000))
