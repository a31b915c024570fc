import type { TimeRange } from '../../model/index.ts'
import type { GroupSnapshot } from './head-snapshot.ts'

/**
 * From the oldest to the newest row of a group; empty (`maxTimeMs` < `minTimeMs`) without rows. Chunks are in the order of
 * time; rows that wait for their seal after a restart may be older than all of them.
 */
export function reachOf({ chunks, pending, openRows, openMinMs, newestMs }: GroupSnapshot): TimeRange {
  let minTimeMs = openRows > 0 ? openMinMs : Number.POSITIVE_INFINITY
  let maxTimeMs = openRows > 0 ? newestMs : Number.NEGATIVE_INFINITY
  if (chunks.length > 0) {
    minTimeMs = Math.min(minTimeMs, chunks[0]!.minTimeMs)
    maxTimeMs = Math.max(maxTimeMs, chunks.at(-1)!.maxTimeMs)
  }
  for (const piece of pending) {
    minTimeMs = Math.min(minTimeMs, piece.minTimeMs)
    maxTimeMs = Math.max(maxTimeMs, piece.maxTimeMs)
  }
  return { minTimeMs, maxTimeMs }
}
