import { labelsKey, type Matcher, type SeriesColumn, type TimeRange } from '../../model/index.ts'
import { openReader } from '../read/reader.ts'
import type { Tsdb } from '../tsdb.ts'

/** What is to leave the store. */
export interface Selection {
  /** Unix milliseconds, inclusive; without it from the oldest sample on. */
  readonly minTimeMs?: number | undefined
  /** Unix milliseconds, inclusive. */
  readonly maxTimeMs?: number | undefined
  /** Series that match all matchers of any of the lists; none means every series. */
  readonly matcherSets?: readonly (readonly Matcher[])[] | undefined
}

/** How far a long job has come. */
export type OnProgress = (done: number, total: number) => void

/** Aligned stretches of time that hold samples of a selection, by time. */
function windowsOf(store: Tsdb, { minTimeMs, maxTimeMs }: Selection, windowMs: number): TimeRange[] {
  const from = minTimeMs ?? Number.NEGATIVE_INFINITY
  const to = maxTimeMs ?? Number.POSITIVE_INFINITY
  const head = store.stats()
  const blocks = store.blocks().filter(({ resolution }) => resolution === undefined)
  const spans = blocks.map((meta) => [meta.minTime, meta.maxTime - 1] as const)
  if (!Number.isNaN(head.minTimeMs)) spans.push([head.minTimeMs, head.maxTimeMs])
  const starts = new Set<number>()
  for (const [spanFrom, spanTo] of spans) {
    const last = Math.min(spanTo, to)
    for (let at = floorTo(Math.max(spanFrom, from), windowMs); at <= last; at += windowMs) starts.add(at)
  }
  return [...starts]
    .sort((a, b) => a - b)
    .map((start) => ({ minTimeMs: Math.max(start, from), maxTimeMs: Math.min(start + windowMs - 1, to) }))
}

const floorTo = (value: number, step: number): number => Math.floor(value / step) * step

/**
 * Hands the samples of every selected series to `onSeries`, window by window; a column is good until the next comes.
 *
 * @param afterWindow called when a window is through
 */
export async function walkStore(
  store: Tsdb,
  selection: Selection,
  job: {
    readonly windowMs: number
    /** The walk goes on when it resolves. */
    readonly onSeries: (column: SeriesColumn, window: TimeRange) => Promise<void> | void
    readonly afterWindow?: (window: TimeRange) => Promise<void>
    readonly onProgress?: OnProgress | undefined
  },
): Promise<void> {
  const windows = windowsOf(store, selection, job.windowMs)
  const sets = selection.matcherSets?.length ? selection.matcherSets : [[]]
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  try {
    for (const [i, window] of windows.entries()) {
      job.onProgress?.(i, windows.length)
      const querier = reader.querier(window)
      try {
        const seen = new Set<string>()
        for (const matchers of sets) {
          for (const column of querier.select(matchers, window)) {
            if (sets.length > 1) {
              const key = labelsKey(column.labels)
              if (seen.has(key)) continue
              seen.add(key)
            }
            if (column.length > 0) await job.onSeries(column, window)
          }
        }
      } finally {
        querier.close()
      }
      await job.afterWindow?.(window)
      await new Promise((resolve) => setImmediate(resolve))
    }
    job.onProgress?.(windows.length, windows.length)
  } finally {
    reader.close()
    detach()
  }
}
