import type { Matcher, SelectHints } from '../../model/index.ts'
import { openReader, type Tsdb } from '../index.ts'

/** Samples of one series, without staleness markers, as a function over one window gets them. */
export interface WindowSamples {
  readonly times: readonly number[]
  readonly values: readonly number[]
  /** How many samples each stands for. */
  readonly counts: readonly number[]
}

/** What a function of a range vector gets for the window (fromMs, toMs], by the name of the series and further labels. */
export function readWindow(
  store: Tsdb,
  functionName: string,
  fromMs: number,
  toMs: number,
  matchers: readonly Matcher[] = [],
): Record<string, WindowSamples> {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const hints: SelectHints = {
    minTimeMs: fromMs + 1,
    maxTimeMs: toMs,
    functionName,
    windows: { firstEndMs: toMs, lastEndMs: toMs, stepMs: 0, rangeMs: toMs - fromMs },
  }
  const querier = reader.querier(hints)
  const found: Record<string, WindowSamples> = {}
  try {
    for (const { labels, length, timestampsMs, values, stale, counts } of querier.select(matchers, hints)) {
      const rows = Array.from({ length }, (_, i) => i).filter((i) => stale?.[i] !== 1)
      found[labels.join()] = {
        times: rows.map((i) => timestampsMs[i]!),
        values: rows.map((i) => values[i]!),
        counts: rows.map((i) => counts?.[i] ?? 1),
      }
    }
    return found
  } finally {
    querier.close()
    reader.close()
    detach()
  }
}

export const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
