// Memory: resident at the end and at most while scraping very many series, beside the real systems on the same targets; and
// how long our garbage collection stops the main thread and the others (`node --trace-gc`). Does not measure queries, nor old blocks.
// Run: npm run bench -- memory [--quick] [--targets=395] [--interval=15] [--seconds=1800] [--systems=belltower,prometheus]
// Without options: 200 k series for 30 minutes, then a million for 5.
import { type Session, type SessionOptions, sleepSeconds, withSession } from './session.ts'
import { printTable, ratioText } from './table.ts'
import { peakBytesOf, usageOf } from './usage.ts'

export interface MemoryOptions extends Omit<SessionOptions, 'withHistograms' | 'nodeFlags' | 'onLine'> {
  readonly seconds: number
}

export interface MemoryResult {
  readonly name: string
  readonly samplesStored: number
  readonly residentBytes: number
  readonly peakBytes: number
  /** Of ours only. */
  readonly pauses: Pauses | undefined
}

/** How long garbage collection stopped a thread, at most: the main one, but for `workersFullMs`. */
export interface Pauses {
  readonly fullCount: number
  readonly fullMs: number
  readonly anyMs: number
  readonly workersFullMs: number
}

export const MEMORY_CASES = [
  { targets: 395, seconds: 1800 },
  { targets: 1973, seconds: 300 },
] as const
export const QUICK_MEMORY_CASES = [{ targets: 40, seconds: 60 }] as const

export async function runMemoryBench(options: MemoryOptions): Promise<MemoryResult[]> {
  const watch = new PauseWatch()
  const gc = { nodeFlags: ['--trace-gc'], onLine: (line: string) => watch.read(line) }
  return withSession({ ...options, ...gc, withHistograms: false }, (session) => measure(session, options, watch))
}

export function printMemoryResults(results: readonly MemoryResult[]): void {
  const base = results.find(({ name }) => name === 'belltower')
  const others = results.filter((result) => result !== base)
  const row = (title: string, pick: (result: MemoryResult) => number): string[] => [
    title,
    ...results.map((result) => pick(result).toFixed(1)),
    ...others.map((result) => ratioText(pick(result), base && pick(base))),
  ]
  printTable(
    ['', ...results.map(({ name }) => name), ...others.map(({ name }) => `${name} / belltower`)],
    [
      row('million samples stored', (r) => r.samplesStored / 1e6),
      row('resident MB', (r) => r.residentBytes / 1e6),
      row('most resident MB', (r) => r.peakBytes / 1e6),
    ],
  )
  const pauses = base?.pauses
  if (pauses === undefined) return
  const { fullCount, fullMs, anyMs, workersFullMs } = pauses
  const main = `${fullCount} full collections, longest pause ${fullMs} ms; of any collection ${anyMs} ms`
  console.log(`belltower: ${main}; of full ones in its other threads ${workersFullMs} ms`)
}

async function measure({ systems, fakeTargets }: Session, options: MemoryOptions, watch: PauseWatch) {
  const { targets, intervalMs, seconds } = options
  const series = targets * fakeTargets.seriesPerTarget
  console.log(`${series} series (${targets} targets) every ${intervalMs / 1000} s for ${seconds} s`)
  await sleepSeconds(seconds)
  return Promise.all(
    systems.map(async (system): Promise<MemoryResult> => {
      const { residentBytes } = usageOf(system.pid)
      const peakBytes = peakBytesOf(system.pid)
      const samplesStored = await system.samplesStored()
      const pauses = system.name === 'belltower' ? watch.pauses : undefined
      return { name: system.name, samplesStored, residentBytes, peakBytes, pauses }
    }),
  )
}

/**
 * Reads the lines of `--trace-gc`, `[pid:0xisolate] 31 ms: Mark-Compact 5.6 (7.1) -> 4.9 (8.1) MB, 3.12 / 0.00 ms …`. Every
 * thread has an isolate of its own, and the first that is heard of is the main thread's.
 */
export class PauseWatch {
  #isolate: string | undefined
  #fullCount = 0
  #fullMs = 0
  #anyMs = 0
  #workersFullMs = 0

  get pauses(): Pauses {
    return {
      fullCount: this.#fullCount,
      fullMs: this.#fullMs,
      anyMs: this.#anyMs,
      workersFullMs: this.#workersFullMs,
    }
  }

  read(line: string): void {
    const match = /^\[\d+:(0x[0-9a-f]+)\].*?: ([A-Za-z-]+) .* MB, ([\d.]+) \//.exec(line)
    if (match === null) return
    const [, isolate, kind] = match
    const pauseMs = Number(match[3])
    this.#isolate ??= isolate
    const isFull = kind === 'Mark-Compact'
    if (isolate !== this.#isolate) {
      if (isFull) this.#workersFullMs = Math.max(this.#workersFullMs, pauseMs)
      return
    }
    this.#anyMs = Math.max(this.#anyMs, pauseMs)
    if (!isFull) return
    this.#fullCount++
    this.#fullMs = Math.max(this.#fullMs, pauseMs)
  }
}
