/** When the open rows of a group are closed, to become a chunk. */
export interface SegmentLimits {
  readonly rows: number
  readonly ageMs: number
}

const ROWS = 120
const AGE_MS = 30 * 60_000
// Divides nothing of `ROWS`: neighbours are far apart, and all groups together are at every row alike.
const STRIDE = 37

/**
 * Groups that start together are not sealed together, but evenly spread over the time that a segment takes: the first
 * segment of each, and the first of a block window, is between half as long and one and a half times as long as others.
 */
export function segmentLimits(group: number, isFirst: boolean): SegmentLimits {
  const share = isFirst ? 0.5 + ((group * STRIDE) % ROWS) / ROWS : 1
  return { rows: Math.round(ROWS * share), ageMs: AGE_MS * share }
}
