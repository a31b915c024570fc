// Restart after a kill -9: the time from the start of the process until a query answers, beside the real systems with the
// same samples. They scrape the same targets for some minutes, are killed, and are started again one at a time.
// Measures the whole way: process, log, first answers over HTTP. Does not measure old blocks.
// Without options 200 k series for ten minutes at 15 s, 40 samples each: after less nearly all of the time is the start of the
// process, and after hours most samples are in chunks or blocks, which none of them reads through at the start.
// Run: npm run bench -- restart [--quick] [--targets=395] [--interval=15] [--seconds=600] [--rounds=5] [--systems=belltower,prometheus]
import { type Session, type SessionOptions, sleepSeconds, withSession } from './session.ts'
import { type RunningSystem, startSystem } from './systems.ts'
import { printTable, ratioText } from './table.ts'
import { usageOf } from './usage.ts'

export interface RestartOptions extends Omit<SessionOptions, 'withHistograms'> {
  /** How long they scrape before the first kill. */
  readonly seconds: number
  readonly rounds: number
}

/** Medians over the rounds, from the start of the process on. */
export interface RestartResult {
  readonly name: string
  readonly readyMs: number
  /** Until a query for one series of each target has its answer. */
  readonly answerMs: number
  /** Until one over all series has, too. */
  readonly allSeriesMs: number
  readonly cpuSeconds: number
  readonly residentBytes: number
}

type Round = Omit<RestartResult, 'name'>

const ANSWER_POLL_SECONDS = 0.02
const ANSWER_TIMEOUT_MS = 120_000

export async function runRestartBench(options: RestartOptions): Promise<RestartResult[]> {
  return withSession({ ...options, withHistograms: false }, (session) => measure(session, options))
}

export function printRestartResults(results: readonly RestartResult[]): void {
  const base = results.find(({ name }) => name === 'belltower')
  const others = results.filter((result) => result !== base)
  const row = (title: string, pick: (result: RestartResult) => number, digits: number): string[] => [
    title,
    ...results.map((result) => pick(result).toFixed(digits)),
    ...others.map((result) => ratioText(pick(result), base && pick(base))),
  ]
  printTable(
    ['', ...results.map(({ name }) => name), ...others.map(({ name }) => `${name} / belltower`)],
    [
      row('ready, s', (r) => r.readyMs / 1000, 2),
      row('a query answers, s', (r) => r.answerMs / 1000, 2),
      row('a query over all series answers, s', (r) => r.allSeriesMs / 1000, 2),
      row('CPU seconds until then', (r) => r.cpuSeconds, 2),
      row('resident MB then', (r) => r.residentBytes / 1e6, 1),
    ],
  )
}

async function measure({ systems, fakeTargets, folder, config }: Session, options: RestartOptions) {
  const { targets, intervalMs, seconds, rounds } = options
  console.log(`${targets} targets x ${fakeTargets.seriesPerTarget} series every ${intervalMs} ms for ${seconds} s`)
  await sleepSeconds(seconds)
  // What was scraped at the very end may not have come to all of them, or not to the disk.
  const atSeconds = Date.now() / 1000 - (2 * intervalMs) / 1000
  await Promise.all(systems.map((system) => system.kill()))
  const results: RestartResult[] = []
  for (const { name } of systems) {
    const measured: Round[] = []
    for (let round = 0; round < rounds; round++) {
      const startedAt = performance.now()
      const system = await startSystem(name, folder, config)
      try {
        const wanted = { one: targets, all: targets * fakeTargets.seriesPerTarget }
        measured.push(await answers(system, { startedAt, atSeconds, ...wanted }))
      } finally {
        await system.kill()
      }
    }
    results.push({ name, ...medians(measured) })
  }
  return results
}

async function answers(
  system: RunningSystem,
  wanted: { startedAt: number; atSeconds: number; one: number; all: number },
): Promise<Round> {
  const sinceStart = (): number => performance.now() - wanted.startedAt
  const readyMs = sinceStart()
  await untilCounted(system, 'count(node_load1)', wanted.atSeconds, wanted.one)
  const answerMs = sinceStart()
  await untilCounted(system, 'count({__name__=~"node_.+"})', wanted.atSeconds, wanted.all)
  return { readyMs, answerMs, allSeriesMs: sinceStart(), ...usageOf(system.pid) }
}

/** Asks until the answer is what it was before the kill. */
async function untilCounted(system: RunningSystem, expr: string, atSeconds: number, wanted: number): Promise<void> {
  const path = `/api/v1/query?query=${encodeURIComponent(expr)}&time=${atSeconds.toFixed(3)}`
  const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS
  for (;;) {
    const answer = await fetch(`${system.url}${path}`)
    const text = await answer.text()
    const counted = answer.ok
      ? Number((JSON.parse(text) as { data: { result: { value: [number, string] }[] } }).data.result[0]?.value[1] ?? 0)
      : 0
    if (counted === wanted) return
    if (performance.now() > deadlineMs) throw new Error(`${system.name}: ${expr} is ${counted}, not ${wanted}: ${text}`)
    await sleepSeconds(ANSWER_POLL_SECONDS)
  }
}

function medians(rounds: readonly Round[]): Round {
  const median = (pick: (round: Round) => number): number =>
    rounds.map(pick).sort((a, b) => a - b)[Math.floor(rounds.length / 2)]!
  return {
    readyMs: median((round) => round.readyMs),
    answerMs: median((round) => round.answerMs),
    allSeriesMs: median((round) => round.allSeriesMs),
    cpuSeconds: median((round) => round.cpuSeconds),
    residentBytes: median((round) => round.residentBytes),
  }
}
