// Hot: every sample of a block that is summarised passes here.
import { SampleKind } from '../../model/index.ts'

/** Summaries of the samples of one series, by stretch; entries of stretches without a sample say nothing. */
export interface Summaries {
  /** Staleness markers are not counted. */
  readonly count: Float64Array
  /** Compensated, rounded once. */
  readonly sum: Float64Array
  /** NaN only where there is nothing else. */
  readonly min: Float64Array
  readonly max: Float64Array
  /** Sum of the values before each fall: what a counter had reached when it began anew. */
  readonly resets: Float64Array
  /** Rows of the first and the last sample, and of a staleness marker behind that, or -1. */
  readonly firstRow: Int32Array
  readonly lastRow: Int32Array
  readonly staleRow: Int32Array
  readonly firstValue: Float64Array
  readonly lastValue: Float64Array
}

export const emptySummaries = (stretchCount: number): Summaries => ({
  count: new Float64Array(stretchCount),
  sum: new Float64Array(stretchCount),
  min: new Float64Array(stretchCount),
  max: new Float64Array(stretchCount),
  resets: new Float64Array(stretchCount),
  firstRow: new Int32Array(stretchCount),
  lastRow: new Int32Array(stretchCount),
  staleRow: new Int32Array(stretchCount),
  firstValue: new Float64Array(stretchCount),
  lastValue: new Float64Array(stretchCount),
})

/**
 * @param values `starts.at(-1)` of them, with their kinds
 * @param starts first row of each stretch, and the end
 */
export function summarize(values: Float64Array, kinds: Uint8Array, starts: Uint32Array, into: Summaries): void {
  for (let i = 0; i + 1 < starts.length; i++) summarizeStretch(values, kinds, starts[i]!, starts[i + 1]!, i, into)
}

function summarizeStretch(
  values: Float64Array,
  kinds: Uint8Array,
  from: number,
  to: number,
  at: number,
  into: Summaries,
): void {
  let count = 0
  let sum = 0
  let lost = 0
  let min = Number.NaN
  let max = Number.NaN
  let resets = 0
  let before = Number.NaN
  let first = -1
  let last = -1
  let stale = -1
  for (let row = from; row < to; row++) {
    const kind = kinds[row]!
    if (kind === SampleKind.ABSENT) continue
    if (kind === SampleKind.STALE) {
      stale = row
      continue
    }
    const value = values[row]!
    if (count++ === 0) first = row
    last = row
    stale = -1
    if (value < before) resets += before
    before = value
    if (value < min || min !== min) min = value
    if (value > max || max !== max) max = value
    const next = sum + value
    if (Math.abs(next) === Number.POSITIVE_INFINITY) lost = 0
    else if (Math.abs(sum) >= Math.abs(value)) lost += sum - next + value
    else lost += value - next + sum
    sum = next
  }
  into.count[at] = count
  into.sum[at] = sum + lost
  into.min[at] = min
  into.max[at] = max
  into.resets[at] = resets
  into.firstRow[at] = first
  into.lastRow[at] = last
  into.staleRow[at] = stale
  if (count === 0) return
  into.firstValue[at] = values[first]!
  into.lastValue[at] = values[last]!
}
