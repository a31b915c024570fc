import type { CoarseSamples, Labels, NativeHistogram, SeriesColumn, SeriesGroup } from '../../model/index.ts'
import { SampleKind } from '../../model/index.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { LabelIndex } from './label-index.ts'
import type { AssembledColumns, TargetAssembly } from './assembled-columns.ts'
import { ALL_PLAIN, type Piece } from './piece.ts'

/** Filled for one series after the other. Labels are put together when somebody asks. */
export class OutputColumn implements SeriesColumn {
  timestampsMs = NOTHING
  values = NOTHING
  length = 0
  stale: Uint8Array | undefined
  histograms: readonly (NativeHistogram | undefined)[] | undefined
  counts: Float64Array | undefined
  coarse: CoarseSamples | undefined
  group: SeriesGroup | undefined
  readonly #index: LabelIndex
  #target = 0
  #overlay = 0
  #labels: Labels | undefined

  constructor(index: LabelIndex) {
    this.#index = index
  }

  fill(target: number, overlay: number, samples: Samples, group: SeriesGroup | undefined): void {
    this.timestampsMs = samples.timestampsMs
    this.values = samples.values
    this.length = samples.length
    this.stale = samples.stale
    this.histograms = samples.histograms
    this.counts = samples.counts
    this.coarse = samples.coarse
    this.group = group
    this.#target = target
    this.#overlay = overlay
    this.#labels = undefined
  }

  get labels(): Labels {
    this.#labels ??= this.#index.effectiveLabels(this.#target, this.#overlay)
    return this.#labels
  }
}

const NOTHING: Float64Array = new Float64Array(0)

export interface Samples {
  readonly timestampsMs: Float64Array
  /** A view of scratch memory or of an array of its own. */
  readonly values: Float64Array
  readonly length: number
  readonly stale: Uint8Array | undefined
  /** Where a sample is a histogram. */
  readonly histograms?: readonly (NativeHistogram | undefined)[] | undefined
  /** As in `SeriesColumn`. */
  readonly counts?: Float64Array | undefined
  readonly coarse?: CoarseSamples | undefined
}

/** One piece, and where in it the series of a target are. */
export interface OpenPiece {
  readonly piece: Piece
  /** By series the index within the piece, or -1. */
  readonly indexes: Int32Array
  /** Of two samples of one time the one of the higher rank stays. */
  readonly rank: number
}

/** Puts the samples of series together from their pieces, in one run of scratch memory. */
export class ColumnAssembler {
  readonly #scratch: Scratch
  readonly #pieces: readonly OpenPiece[]
  readonly #areDisjoint: boolean
  readonly #values: number
  readonly #kinds: number
  readonly #joined: JoinedTimes
  readonly #sharedTimes = new Map<string, Float64Array<ArrayBuffer>>()
  #used: OpenPiece[] = []
  #lastUsed: OpenPiece[] = []
  #lastTimes = new Float64Array(0)
  readonly #assembly: TargetAssembly | undefined
  /** Of a column that is kept whole: the next one takes its place. */
  readonly #whole = { timestampsMs: NOTHING, values: NOTHING, length: 0, stale: undefined }

  /**
   * @param pieces sorted by their first time in range
   * @param assembled where whole columns are kept; absent: nowhere
   */
  constructor(scratch: Scratch, pieces: readonly OpenPiece[], joined: JoinedTimes, assembled?: AssembledColumns) {
    this.#joined = joined
    const rows = pieces.reduce((sum, { piece }) => sum + piece.timestampsMs.length, 0)
    this.#scratch = scratch
    this.#pieces = pieces
    this.#areDisjoint = areDisjoint(pieces)
    this.#assembly = this.#areDisjoint ? assembled?.of(pieces) : undefined
    this.#values = scratch.take(8 * rows + 8)
    this.#kinds = scratch.take(rows)
  }

  /** Samples of the target's n-th series in time order, good until the next call; `undefined` when it has none in range. */
  assemble(series: number): Samples | undefined {
    const values = this.#assembly?.values(series)
    if (values === undefined) return this.#assemble(series)
    const whole = this.#whole
    if (whole.timestampsMs === NOTHING) {
      whole.length = this.#assembly!.length
      whole.timestampsMs = this.#joined.join(this.#pieces, whole.length)
    }
    whole.values = values
    return whole
  }

  #assemble(series: number): Samples | undefined {
    const used = this.#used
    used.length = 0
    let length = 0
    let plain = true
    for (let i = 0; i < this.#pieces.length; i++) {
      const open = this.#pieces[i]!
      const index = open.indexes[series]!
      if (index < 0) continue
      const { piece } = open
      const kinds = this.#kinds + length
      const present = piece.read(index, this.#values + 8 * length, kinds)
      if (present === 0) continue
      const before = length
      length += piece.to - piece.from
      used.push(open)
      if (present === ALL_PLAIN && plain) continue
      const { u8 } = this.#scratch.views
      // Kinds are only told once one of the pieces has something special.
      if (plain) u8.fill(SampleKind.DECIMAL, this.#kinds, this.#kinds + before)
      if (present === ALL_PLAIN) u8.fill(SampleKind.DECIMAL, kinds, this.#kinds + length)
      plain = false
    }
    if (used.length === 0) return undefined
    const values = this.#valuesView(length)
    if (!this.#areDisjoint && !areDisjoint(used)) {
      if (plain) this.#scratch.views.u8.fill(SampleKind.DECIMAL, this.#kinds, this.#kinds + length)
      return this.#merge(used, length)
    }
    const timestampsMs = this.#timesOf(used, length)
    if (plain) return { timestampsMs, values, length, stale: undefined }
    return this.#withoutGaps(timestampsMs, values, length)
  }

  #valuesView(length: number): Float64Array {
    return this.#scratch.views.f64.subarray(this.#values >>> 3, (this.#values >>> 3) + length)
  }

  /** One timestamp column for all series that have the same pieces. */
  #timesOf(used: OpenPiece[], length: number): Float64Array {
    if (isSameRun(used, this.#lastUsed)) return this.#lastTimes
    const key = used.map(({ rank }) => rank).join()
    const times = this.#sharedTimes.get(key) ?? this.#joined.join(used, length)
    this.#sharedTimes.set(key, times)
    this.#used = this.#lastUsed
    this.#lastUsed = used
    this.#lastTimes = times
    return times
  }

  /** Leaves out rows without a sample, in place, and marks staleness. */
  #withoutGaps(timestampsMs: Float64Array, values: Float64Array, length: number): Samples | undefined {
    const kinds = this.#scratch.views.u8.subarray(this.#kinds, this.#kinds + length)
    let count = 0
    let staleCount = 0
    for (let i = 0; i < length; i++) {
      if (kinds[i] !== SampleKind.ABSENT) count++
      if (kinds[i] === SampleKind.STALE) staleCount++
    }
    if (count === 0) return undefined
    let times = timestampsMs
    if (count < length) {
      const bits = new BigInt64Array(values.buffer, values.byteOffset, length)
      times = new Float64Array(count)
      for (let i = 0, to = 0; i < length; i++) {
        if (kinds[i] === SampleKind.ABSENT) continue
        times[to] = timestampsMs[i]!
        // As bits: a NaN's may not survive a number.
        bits[to] = bits[i]!
        kinds[to++] = kinds[i]!
      }
    }
    const stale = staleCount === 0 ? undefined : kinds.slice(0, count).map(isStaleKind)
    return { timestampsMs: times, values: values.subarray(0, count), length: count, stale }
  }

  /** Pieces that overlap in time: sorted sample by sample, of equal times the highest rank. */
  #merge(used: readonly OpenPiece[], length: number): Samples | undefined {
    const { views } = this.#scratch
    const bits = new BigInt64Array(views.f64.buffer, this.#values, length)
    const samples: { timeMs: number; rank: number; bits: bigint; kind: number }[] = []
    let at = 0
    for (const { piece, rank } of used) {
      for (let row = piece.from; row < piece.to; row++, at++) {
        const kind = views.u8[this.#kinds + at]!
        if (kind !== SampleKind.ABSENT) samples.push({ timeMs: piece.timestampsMs[row]!, rank, bits: bits[at]!, kind })
      }
    }
    samples.sort((a, b) => a.timeMs - b.timeMs || b.rank - a.rank)
    const unique = samples.filter((sample, i) => i === 0 || sample.timeMs !== samples[i - 1]!.timeMs)
    if (unique.length === 0) return undefined
    const timestampsMs = Float64Array.from(unique, (sample) => sample.timeMs)
    const values = new Float64Array(unique.length)
    const valueBits = new BigInt64Array(values.buffer)
    for (const [i, sample] of unique.entries()) valueBits[i] = sample.bits
    const hasStale = unique.some((sample) => sample.kind === SampleKind.STALE)
    const stale = hasStale ? Uint8Array.from(unique, (sample) => isStaleKind(sample.kind)) : undefined
    return { timestampsMs, values, length: unique.length, stale }
  }
}

function isSameRun(a: readonly OpenPiece[], b: readonly OpenPiece[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Timestamp columns of one `select`: what is worked out for a column is good for all series that have the very same one. */
export class JoinedTimes {
  #last = new Float64Array(0)

  /** One column of those of the parts. Targets that come one after the other and have equal ones get the same. */
  join(parts: readonly OpenPiece[], length: number): Float64Array<ArrayBuffer> {
    if (this.#isLast(parts, length)) return this.#last
    const times = new Float64Array(length)
    let at = 0
    for (const { piece } of parts) {
      times.set(piece.timestampsMs.subarray(piece.from, piece.to), at)
      at += piece.to - piece.from
    }
    this.#last = times
    return times
  }

  #isLast(parts: readonly OpenPiece[], length: number): boolean {
    const last = this.#last
    if (last.length !== length) return false
    let at = 0
    for (const { piece } of parts) {
      const { timestampsMs, to } = piece
      for (let row = piece.from; row < to; row++) if (timestampsMs[row] !== last[at++]) return false
    }
    return true
  }
}

const isStaleKind = (kind: number): number => (kind === SampleKind.STALE ? 1 : 0)

function areDisjoint(parts: readonly OpenPiece[]): boolean {
  for (let i = 1; i < parts.length; i++) {
    const before = parts[i - 1]!.piece
    const piece = parts[i]!.piece
    if (before.timestampsMs[before.to - 1]! >= piece.timestampsMs[piece.from]!) return false
  }
  return true
}
