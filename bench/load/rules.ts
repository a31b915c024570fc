// Rules: CPU beside the real Prometheus on the same targets and the same rule file, 10,000 rules in 100 groups by default;
// nine in ten record, one in ten alerts. The systems run side by side. What scraping alone costs is measured first, in a
// shorter run without rules, and taken off.
// Measures evaluation, writing of results and the rules' own book-keeping; not the sending of alerts, of which there are none.
// Run: npm run bench -- rules [--warmup=35] [--seconds=45] [--targets=20]; between two and three minutes.
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { startFakeTargets } from './fake-targets.ts'
import { sleepSeconds } from './session.ts'
import { isInstalled, type RunningSystem, scrapeConfig, startSystem, type SystemName } from './systems.ts'
import { printTable, ratioText } from './table.ts'
import { usageOf } from './usage.ts'

export interface RulesBenchOptions {
  readonly systems: readonly SystemName[]
  readonly targets: number
  readonly groups: number
  readonly rulesPerGroup: number
  readonly intervalSeconds: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface RulesResult {
  readonly name: string
  /** Cores, with rules and without. */
  readonly cores: number
  readonly scrapingCores: number
  readonly evaluationsPerSecond: number
  readonly failures: number
  readonly missed: number
  readonly residentBytes: number
}

// Of the run without rules: two scrapes to settle, then two that count.
const SCRAPING_WARMUP_SECONDS = 15
const SCRAPING_SECONDS = 30

export async function runRulesBench(options: RulesBenchOptions): Promise<RulesResult[]> {
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const systems = options.systems.filter((system) => system !== 'victoria-metrics')
  const present = systems.filter(isInstalled)
  for (const name of systems) if (!present.includes(name)) console.log(`${name}: not here, left out`)
  const scraping = await measureAll(present, {
    ...options,
    groups: 0,
    warmupSeconds: SCRAPING_WARMUP_SECONDS,
    seconds: SCRAPING_SECONDS,
  })
  const withRules = await measureAll(present, options)
  return withRules.map((result, i) => ({ ...result, scrapingCores: scraping[i]!.cores }))
}

const measureAll = (names: readonly SystemName[], options: RulesBenchOptions): Promise<RulesResult[]> =>
  Promise.all(names.map((name) => measure(name, options)))

export function printRulesResults(results: readonly RulesResult[]): void {
  const base = results.find(({ name }) => name === 'belltower')
  const others = results.filter((result) => result !== base)
  const row = (title: string, pick: (result: RulesResult) => number, digits: number): string[] => [
    title,
    ...results.map((result) => pick(result).toFixed(digits)),
    ...others.map((result) => ratioText(pick(result), base && pick(base))),
  ]
  printTable(
    ['', ...results.map(({ name }) => name), ...others.map(({ name }) => `${name} / belltower`)],
    [
      row('evaluations per second', (r) => r.evaluationsPerSecond, 0),
      row('CPU cores for rules', (r) => r.cores - r.scrapingCores, 3),
      row('CPU microseconds per evaluation', (r) => ((r.cores - r.scrapingCores) / r.evaluationsPerSecond) * 1e6, 1),
      row('CPU cores for scraping alone', (r) => r.scrapingCores, 3),
      row('failed evaluations', (r) => r.failures, 0),
      row('missed group evaluations', (r) => r.missed, 0),
      row('resident MB', (r) => r.residentBytes / 1e6, 1),
    ],
  )
}

async function measure(name: SystemName, options: RulesBenchOptions): Promise<RulesResult> {
  const { targets, groups, intervalSeconds, warmupSeconds, seconds } = options
  const folder = makeBenchFolder()
  const fakeTargets = await startFakeTargets({ intervalMs: intervalSeconds * 1000, withHistograms: false })
  let system: RunningSystem | undefined
  try {
    const config = scrapeConfig(fakeTargets, { count: targets, intervalMs: intervalSeconds * 1000 })
    const rulesPath = join(folder, 'rules.yml')
    if (groups > 0) writeFileSync(rulesPath, ruleFile(options))
    const ruleFiles = groups > 0 ? `rule_files: ['${rulesPath}']\n` : ''
    system = await startSystem(name, folder, `${ruleFiles}${config}`)
    await sleepSeconds(warmupSeconds)
    const before = await reading(system)
    await sleepSeconds(seconds)
    const after = await reading(system)
    const elapsedSeconds = (after.atMs - before.atMs) / 1000
    return {
      name,
      cores: (after.cpuSeconds - before.cpuSeconds) / elapsedSeconds,
      scrapingCores: 0,
      evaluationsPerSecond: (after.evaluations - before.evaluations) / elapsedSeconds,
      failures: after.failures - before.failures,
      missed: after.missed - before.missed,
      residentBytes: after.residentBytes,
    }
  } finally {
    await system?.stop()
    await fakeTargets.close()
    removeBenchFolder(folder)
  }
}

async function reading(system: RunningSystem) {
  const page = await (await fetch(`${system.url}/metrics`)).text()
  const sum = (metric: string): number =>
    [...page.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    )
  return {
    evaluations: sum('prometheus_rule_evaluations_total'),
    failures: sum('prometheus_rule_evaluation_failures_total'),
    missed: sum('prometheus_rule_group_iterations_missed_total'),
    ...usageOf(system.pid),
    atMs: performance.now(),
  }
}

/** Rules of the common kinds over the page that the fake targets show. */
export function ruleFile({ groups, rulesPerGroup, intervalSeconds }: RulesBenchOptions): string {
  const lines = ['groups:']
  for (let group = 0; group < groups; group++) {
    lines.push(`- name: group${group}`, `  interval: ${intervalSeconds}s`, '  rules:')
    for (let rule = 0; rule < rulesPerGroup; rule++) {
      const id = group * rulesPerGroup + rule
      if (rule % 10 === 9) lines.push(`  - alert: Alert${id}`, `    expr: ${alertExpr(id)}`, '    for: 5m')
      else lines.push(`  - record: bench:rule${id}`, `    expr: ${recordExpr(id)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function recordExpr(id: number): string {
  const expressions = [
    `sum by (mode) (rate(node_cpu_seconds_total{instance="host${id % 20}"}[1m]))`,
    'avg(node_load1)',
    `node_memory_MemFree_bytes{instance="host${id % 20}"} / 1024`,
    'max by (instance) (node_load5)',
  ]
  return `'${expressions[id % expressions.length]!}'`
}

const alertExpr = (id: number): string => `'node_load1{instance="host${id % 20}"} > 1000'`
