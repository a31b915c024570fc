import type { Labels, SeriesColumn } from '../../model/index.ts'
import { SampleKind } from '../../model/index.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { LabelIndex } from './label-index.ts'
import { ALL_PLAIN, type Piece } from './piece.ts'

/** Labels are put together when somebody asks. */
export class OutputColumn implements SeriesColumn {
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  readonly length: number
  readonly stale: Uint8Array | undefined
  readonly #index: LabelIndex
  readonly #target: number
  readonly #overlay: number
  #labels: Labels | undefined

  constructor(index: LabelIndex, target: number, overlay: number, samples: Samples) {
    this.timestampsMs = samples.timestampsMs
    this.values = samples.values
    this.length = samples.length
    this.stale = samples.stale
    this.#index = index
    this.#target = target
    this.#overlay = overlay
  }

  get labels(): Labels {
    this.#labels ??= this.#index.effectiveLabels(this.#target, this.#overlay)
    return this.#labels
  }
}

export interface Samples {
  readonly timestampsMs: Float64Array
  /** A view of scratch memory or of an array of its own. */
  readonly values: Float64Array
  readonly length: number
  readonly stale: Uint8Array | undefined
}

/** One piece and the number of the wanted series in its source. */
export interface PiecePart {
  readonly piece: Piece
  readonly index: number
  /** Of two samples of one time the one of the higher rank stays. */
  readonly rank: number
}

/** Decodes the pieces of series one after the other into one run of scratch memory. */
export class ColumnAssembler {
  readonly #scratch: Scratch
  readonly #values: number
  readonly #kinds: number
  readonly #sharedTimes = new Map<string, Float64Array<ArrayBuffer>>()
  #lastUsed: readonly PiecePart[] = []
  #lastTimes = new Float64Array(0)

  /** @param rowsMax rows of all pieces that one series may have */
  constructor(scratch: Scratch, rowsMax: number) {
    this.#scratch = scratch
    this.#values = scratch.take(8 * rowsMax + 8)
    this.#kinds = scratch.take(rowsMax)
  }

  /** Samples of a series in time order; `undefined` when it has none in range. `parts` are sorted by their first time. */
  assemble(parts: readonly PiecePart[]): Samples | undefined {
    const used: PiecePart[] = []
    let length = 0
    let plain = true
    for (const part of parts) {
      const { piece, index } = part
      const values = this.#values + 8 * length
      const kinds = this.#kinds + length
      const present = piece.read(index, values, kinds)
      if (present === 0) continue
      plain = plain && present === ALL_PLAIN
      const { u8 } = this.#scratch.views
      const count = piece.to - piece.from
      if (piece.from > 0) {
        u8.copyWithin(values, values + 8 * piece.from, values + 8 * piece.to)
        u8.copyWithin(kinds, kinds + piece.from, kinds + piece.to)
      }
      used.push(part)
      length += count
    }
    if (used.length === 0) return undefined
    const values = this.#valuesView(length)
    if (!areDisjoint(used)) return this.#merge(used, length)
    const timestampsMs = this.#timesOf(used, length)
    if (plain) return { timestampsMs, values, length, stale: undefined }
    return this.#withoutGaps(timestampsMs, values, length)
  }

  #valuesView(length: number): Float64Array {
    return this.#scratch.views.f64.subarray(this.#values >>> 3, (this.#values >>> 3) + length)
  }

  /** One timestamp column for all series that have the same pieces. */
  #timesOf(used: readonly PiecePart[], length: number): Float64Array {
    if (isSameRun(used, this.#lastUsed)) return this.#lastTimes
    const key = used.map((part) => part.rank).join()
    const times = this.#sharedTimes.get(key) ?? joinTimes(used, length)
    this.#sharedTimes.set(key, times)
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
  #merge(used: readonly PiecePart[], length: number): Samples | undefined {
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

function isSameRun(a: readonly PiecePart[], b: readonly PiecePart[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i]!.piece !== b[i]!.piece) return false
  return true
}

function joinTimes(parts: readonly PiecePart[], length: number): Float64Array<ArrayBuffer> {
  const times = new Float64Array(length)
  let at = 0
  for (const { piece } of parts) {
    times.set(piece.timestampsMs.subarray(piece.from, piece.to), at)
    at += piece.to - piece.from
  }
  return times
}

const isStaleKind = (kind: number): number => (kind === SampleKind.STALE ? 1 : 0)

function areDisjoint(parts: readonly PiecePart[]): boolean {
  for (let i = 1; i < parts.length; i++) {
    const before = parts[i - 1]!.piece
    const piece = parts[i]!.piece
    if (before.timestampsMs[before.to - 1]! >= piece.timestampsMs[piece.from]!) return false
  }
  return true
}
