// Small instant queries over HTTP from several connections, beside the real systems on the same targets.
// Measures the way from socket to answer and back; the evaluation itself is next to nothing.
// Run: npm run bench -- api [--targets=40] [--systems=belltower,prometheus]
import autocannon from 'autocannon'
import { type SessionOptions, sleepSeconds, withSession } from './session.ts'
import type { RunningSystem } from './systems.ts'
import { printTable, ratioText } from './table.ts'

export interface ApiOptions extends Omit<SessionOptions, 'withHistograms'> {
  /** How long each query is asked. */
  readonly seconds: number
}

interface Answered {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly perSecond: number
}

const CONNECTIONS = 4
const SETTLE_SECONDS = 10
const QUERIES: readonly string[] = ['up', 'sum(up)', 'node_load1', 'topk(3, node_memory_MemFree_bytes)']

export async function runApiBench(options: ApiOptions): Promise<void> {
  await withSession({ ...options, withHistograms: false }, async ({ systems }) => {
    await sleepSeconds(SETTLE_SECONDS)
    const names = systems.map(({ name }) => name)
    const rows: string[][] = []
    for (const query of QUERIES) {
      const answers = new Map<string, Answered>()
      for (const system of systems) answers.set(system.name, await load(system, query, options.seconds))
      const ours = answers.get('belltower')
      rows.push([
        query,
        ...names.map((name) => answers.get(name)!.p50Ms.toFixed(1)),
        ...names.map((name) => answers.get(name)!.p99Ms.toFixed(1)),
        ...names.map((name) => answers.get(name)!.perSecond.toFixed(0)),
        ratioText(ours?.perSecond, answers.get('prometheus')?.perSecond),
      ])
    }
    const columns = (what: string): string[] => names.map((name) => `${name} ${what}`)
    printTable(['', ...columns('p50 ms'), ...columns('p99 ms'), ...columns('/s'), 'belltower / prometheus'], rows)
  })
}

async function load(system: RunningSystem, query: string, seconds: number): Promise<Answered> {
  const result = await autocannon({
    url: `${system.url}/api/v1/query?query=${encodeURIComponent(query)}`,
    connections: CONNECTIONS,
    duration: seconds,
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${system.name} failed ${result.non2xx + result.errors} times`)
  return { p50Ms: result.latency.p50, p99Ms: result.latency.p99, perSecond: result.requests.average }
}
