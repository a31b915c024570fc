import type { TimeRange } from '../../model/index.ts'

/** A run of rows with one timestamp column: a block's group, a head chunk, or rows that are not sealed yet. */
export interface Piece {
  /** Of all rows. Owned by the piece, never changed. */
  readonly timestampsMs: Float64Array
  /** Rows [from, to) lie in the queried range. */
  readonly from: number
  readonly to: number
  /**
   * Puts rows [from, to) of the source's n-th wanted series into scratch memory: float64 bits at `values`, kinds at `kinds`.
   * There must be room for all rows.
   *
   * @returns the number of rows that hold a sample, markers included; -1 when all rows do and none is a marker (then the
   *   kinds may be missing)
   */
  read(index: number, values: number, kinds: number): number
  /** Set where its columns stay decoded after the query. */
  readonly decoded?: DecodedColumns | undefined
}

/** The columns of a piece, all rows of them. */
export interface DecodedColumns {
  /** Stands for the rows, of which there may be more later. */
  readonly run: object
  /** Stands for the choice of the columns. */
  readonly positions: object
  /** The n-th wanted series; `undefined` where a row holds no sample, or a marker. Not to be written. */
  plain(index: number): Float64Array | undefined
}

/** What a source of summaries is good for. */
export interface SummaryPart {
  readonly resolutionMs: number
  /** Times in which they stand for the samples. */
  readonly ranges: readonly TimeRange[]
  /** Not samples, but what goes with them: how many each stands for, or what counters had reached before they began anew. */
  readonly side: 'counts' | 'resets' | undefined
  /** Only the last sample of each stretch is wanted. */
  readonly isThin: boolean
  /** Samples are looked for so much further back. */
  readonly reachBackMs: number
}

/** Series of one target from one place, in the order of `overlays`. */
export interface GroupSource {
  /** Label sets of the target and of its matched series, by the reader's numbers. */
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** Set where the rows are summaries. */
  readonly summary?: SummaryPart
  /** Opens the pieces that overlap the range; what they take from scratch is given back by the caller. */
  open(minTimeMs: number, maxTimeMs: number): Piece[]
  /** Whether the n-th series has a sample in a piece that overlaps the range. */
  hasSamples(index: number, minTimeMs: number, maxTimeMs: number): boolean
  /** Newest samples without decoding, where the source can tell. */
  newest(maxTimeMs: number): NewestValues | undefined
  /**
   * Writes value and `NewestState` of every series, as far as it has one in the range; absent where the source cannot tell.
   *
   * @returns false when that is not known of all
   */
  fillNewest?(range: TimeRange, values: Float64Array, states: Uint8Array): boolean
}

/** The newest sample per series of a source. */
export interface NewestValues {
  /** NaN: not known, decode; below `minTimeMs`: there is none in the range. */
  timeOf(index: number, minTimeMs: number): number
  /** Writes the value of a series whose time is known; returns whether it is a staleness marker. */
  valueOf(index: number, into: Float64Array): boolean
}

export const NewestState = { NONE: 0, VALUE: 1, STALE: 2 } as const

/** All rows in range hold ordinary values. */
export const ALL_PLAIN = -1

/** First index of an ascending column with a value ≥ `time`. */
export function lowerBound(times: Float64Array, time: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! < time) low = middle + 1
    else high = middle
  }
  return low
}
