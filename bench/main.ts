/** `npm run bench [-- NAME]`: runs one benchmark, or all. What each measures stands at the head of its file. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printAlertsResults, runAlertsBench } from './load/alerts.ts'
import { runApiBench } from './load/api.ts'
import { printHistoryResults, runHistoryBench } from './load/history.ts'
import { INGEST_CASES, printIngestResults, runIngestBench } from './load/ingest.ts'
import {
  MEMORY_CASES,
  type MemoryOptions,
  printMemoryResults,
  QUICK_MEMORY_CASES,
  runMemoryBench,
} from './load/memory.ts'
import { printPushResults, PUSH_CASES, runPushBench } from './load/push.ts'
import { printQueryResults, runQueryBench } from './load/query.ts'
import { printRemoteWriteResults, runRemoteWriteBench } from './load/remote-write.ts'
import { printRestartResults, runRestartBench } from './load/restart.ts'
import { runStorageBench } from './load/storage.ts'
import { printRulesResults, runRulesBench } from './load/rules.ts'
import { SYSTEM_NAMES, type SystemName } from './load/systems.ts'
import { printUiResult, runUiBench } from './load/ui.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    targets: { type: 'string' },
    interval: { type: 'string' },
    warmup: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    samples: { type: 'string' },
    batch: { type: 'string' },
    recording: { type: 'string' },
    series: { type: 'string' },
    identity: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    systems: { type: 'string', default: SYSTEM_NAMES.join(',') },
  },
})
const number = (text: string | undefined, byDefault: number): number => (text === undefined ? byDefault : Number(text))

const BENCHES: Readonly<Record<string, () => Promise<void> | void>> = {
  async ingest() {
    const [usual] = INGEST_CASES
    const chosen = {
      targets: number(values.targets, usual.targets),
      intervalMs: number(values.interval, usual.intervalMs / 1000) * 1000,
      isPacked: !values.identity,
      ...(values.series === undefined ? {} : { seriesMax: number(values.series, 0) }),
    }
    for (const one of values.all ? INGEST_CASES : [chosen]) {
      const seconds = { warmupSeconds: number(values.warmup, 20), seconds: number(values.seconds, 60) }
      printIngestResults(await runIngestBench({ ...one, ...seconds, systems: systems() }))
    }
  },
  async query() {
    const history = await runHistoryBench({
      systems: systems(),
      targets: number(values.targets, 20),
      samples: number(values.samples, 690),
      manySeries: 200_000,
      rounds: number(values.rounds, 15),
    })
    printHistoryResults(history)
    console.log('== query, recent samples of scraped targets')
    const results = await runQueryBench({
      systems: systems(),
      targets: number(values.targets, 100),
      intervalMs: number(values.interval, 1) * 1000,
      seconds: number(values.seconds, 150),
      rounds: number(values.rounds, 15),
      heavySeconds: 10,
    })
    printQueryResults(results)
  },
  async api() {
    await runApiBench({
      systems: systems(),
      targets: number(values.targets, 40),
      intervalMs: number(values.interval, 1) * 1000,
      seconds: number(values.seconds, 5),
    })
  },
  async ui() {
    printUiResult(
      await runUiBench({ panels: 50, seriesPerPanel: 20, points: 1000, scrollSeconds: number(values.seconds, 4) }),
    )
  },
  async 'remote-write'() {
    const results = await runRemoteWriteBench({
      systems: systems(),
      targets: number(values.targets, 20),
      samples: number(values.samples, 690),
      batch: number(values.batch, 2000),
    })
    printRemoteWriteResults(results)
  },
  async rules() {
    const results = await runRulesBench({
      systems: systems(),
      targets: number(values.targets, 20),
      groups: 100,
      rulesPerGroup: 100,
      intervalSeconds: number(values.interval, 15),
      warmupSeconds: number(values.warmup, 35),
      seconds: number(values.seconds, 45),
    })
    printRulesResults(results)
  },
  async alerts() {
    printAlertsResults(await runAlertsBench({ alerts: 100_000, groups: 5000, groupWaitSeconds: 60 }))
  },
  async push() {
    printPushResults(await runPushBench({ seconds: number(values.seconds, 10), cases: PUSH_CASES }))
  },
  async storage() {
    await runStorageBench({
      seconds: number(values.seconds, 300),
      recording: values.recording,
      targets: number(values.targets, 6),
    })
  },
  async restart() {
    const results = await runRestartBench({
      systems: systems(),
      targets: number(values.targets, values.quick ? 40 : 395),
      intervalMs: number(values.interval, values.quick ? 5 : 15) * 1000,
      seconds: number(values.seconds, values.quick ? 60 : 600),
      rounds: number(values.rounds, 5),
    })
    printRestartResults(results)
  },
  async memory() {
    const chosen: Pick<MemoryOptions, 'targets' | 'seconds'> = {
      targets: number(values.targets, MEMORY_CASES[0].targets),
      seconds: number(values.seconds, MEMORY_CASES[0].seconds),
    }
    const isChosen = values.targets !== undefined || values.seconds !== undefined
    for (const sizes of isChosen ? [chosen] : values.quick ? QUICK_MEMORY_CASES : MEMORY_CASES) {
      const intervalMs = number(values.interval, values.quick ? 5 : 15) * 1000
      printMemoryResults(await runMemoryBench({ ...sizes, systems: systems(), intervalMs }))
    }
  },
  /** Vitest runs the sources, so this one needs a working copy. */
  micro() {
    const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
    if (!existsSync(vitest)) throw new Error('the micro benchmarks need the development dependencies: npm ci')
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const { status } = spawnSync(process.execPath, [vitest, 'bench', '--run'], { cwd: root, stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
  },
}

const names = positionals.length > 0 ? positionals : Object.keys(BENCHES)
for (const name of names) {
  const bench = BENCHES[name]
  if (bench === undefined) {
    console.error(`unknown benchmark "${name}", known: ${Object.keys(BENCHES).join(', ')}`)
    process.exit(1)
  }
  console.log(`== ${name}`)
  await bench()
}

function systems(): SystemName[] {
  return values.systems.split(',').map((name) => {
    const known = SYSTEM_NAMES.find((system) => system === name.trim())
    if (known === undefined) throw new Error(`unknown system "${name}", known: ${SYSTEM_NAMES.join(', ')}`)
    return known
  })
}
