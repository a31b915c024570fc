import type { Clock, Registry } from '../../lib/index.ts'
import { Summary } from '../../lib/metrics.ts'

const NAME = 'prometheus_target_interval_length_seconds'
const QUANTILES = [0.01, 0.05, 0.5, 0.9, 0.99]
// Quantiles are of the last ten minutes, forgotten in five steps.
const WINDOWS_MAX = 5
const WINDOW_MS = 120_000
// Counted by the millisecond up to here, by the second beyond.
const EXACT_MS_MAX = 100_000

interface Seen {
  count: number
}

interface Lengths {
  /** How often each length was seen, by window, the newest last. */
  readonly windows: Map<number, Seen>[]
  count: number
  sumMs: number
}

/**
 * Distances between scrapes, by configured interval. Scrapes are many and their distances few, so that one is only counted
 * when it is seen; quantiles are computed when somebody asks.
 */
export class IntervalLengths extends Summary<'interval' | 'quantile'> {
  readonly #clock: Clock
  readonly #byInterval = new Map<string, Lengths>()
  #windowEndMs: number

  constructor(registry: Registry, clock: Clock) {
    const help = 'Actual intervals between scrapes.'
    super({ name: NAME, help, labelNames: ['interval'], percentiles: QUANTILES, registers: [registry] })
    this.#clock = clock
    this.#windowEndMs = clock.nowMs() + WINDOW_MS
  }

  count(interval: string, lengthMs: number): void {
    if (this.#clock.nowMs() >= this.#windowEndMs) this.#moveWindows()
    let lengths = this.#byInterval.get(interval)
    if (lengths === undefined) {
      lengths = { windows: [new Map()], count: 0, sumMs: 0 }
      this.#byInterval.set(interval, lengths)
    }
    const key = lengthMs <= EXACT_MS_MAX ? lengthMs : Math.round(lengthMs / 1000) * 1000
    const window = lengths.windows[lengths.windows.length - 1]!
    const seen = window.get(key)
    if (seen === undefined) window.set(key, { count: 1 })
    else seen.count++
    lengths.count++
    lengths.sumMs += lengthMs
  }

  override get(): ReturnType<Summary<'interval' | 'quantile'>['get']> {
    if (this.#clock.nowMs() >= this.#windowEndMs) this.#moveWindows()
    const values = [...this.#byInterval].flatMap(([interval, lengths]) => [
      ...quantiles(lengths.windows).map((value, i) => ({ labels: { interval, quantile: QUANTILES[i]! }, value })),
      { metricName: `${NAME}_sum`, labels: { interval }, value: lengths.sumMs / 1000 },
      { metricName: `${NAME}_count`, labels: { interval }, value: lengths.count },
    ])
    return super.get().then((metric) => ({ ...metric, values }))
  }

  #moveWindows(): void {
    const steps = Math.floor((this.#clock.nowMs() - this.#windowEndMs) / WINDOW_MS) + 1
    this.#windowEndMs += steps * WINDOW_MS
    for (const { windows } of this.#byInterval.values()) {
      for (let i = 0; i < Math.min(steps, WINDOWS_MAX); i++) windows.push(new Map())
      windows.splice(0, windows.length - WINDOWS_MAX)
    }
  }
}

/** In seconds; 0 where nothing was counted. */
function quantiles(windows: readonly Map<number, Seen>[]): number[] {
  const counts = new Map<number, number>()
  let total = 0
  for (const [lengthMs, { count }] of windows.flatMap((window) => [...window])) {
    counts.set(lengthMs, (counts.get(lengthMs) ?? 0) + count)
    total += count
  }
  const sorted = [...counts].sort(([a], [b]) => a - b)
  return QUANTILES.map((quantile) => {
    let below = 0
    for (const [lengthMs, count] of sorted) {
      below += count
      if (below >= quantile * total) return lengthMs / 1000
    }
    return 0
  })
}
