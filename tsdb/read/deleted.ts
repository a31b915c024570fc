import { SampleKind, type TimeRange } from '../../model/index.ts'
import { type Deletion, eraseRows, matchersOf } from '../block/deletions.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { LabelIndex } from './label-index.ts'
import { ALL_PLAIN, type GroupSource, type NewestValues, type Piece, type SummaryPart } from './piece.ts'
import { ResolvedMatchers } from './selection.ts'

/** Puts a mask before the sources that hold deleted samples. */
export function hideDeleted(
  sources: readonly GroupSource[],
  deletions: readonly Deletion[],
  index: LabelIndex,
  scratch: Scratch,
): GroupSource[] {
  if (deletions.length === 0) return [...sources]
  const resolved = deletions.map((deletion) => new ResolvedMatchers(index, matchersOf(deletion)))
  return sources.map((source) => {
    const ranges = new Map<number, TimeRange[]>()
    for (const [i, deletion] of deletions.entries()) {
      if (deletion.minTimeMs > source.maxTimeMs || deletion.maxTimeMs < source.minTimeMs) continue
      const matchers = resolved[i]!
      for (const series of matchers.matching(matchers.maskOf(source.target), source.overlays)) {
        const known = ranges.get(series)
        if (known) known.push(deletion)
        else ranges.set(series, [deletion])
      }
    }
    return ranges.size === 0 ? source : new MaskedSource(source, ranges, scratch)
  })
}

/** A source without the samples of some series in some ranges of time. */
class MaskedSource implements GroupSource {
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly summary?: SummaryPart
  readonly #source: GroupSource
  readonly #ranges: ReadonlyMap<number, readonly TimeRange[]>
  readonly #scratch: Scratch

  constructor(source: GroupSource, ranges: ReadonlyMap<number, readonly TimeRange[]>, scratch: Scratch) {
    this.target = source.target
    this.overlays = source.overlays
    this.minTimeMs = source.minTimeMs
    this.maxTimeMs = source.maxTimeMs
    if (source.summary !== undefined) this.summary = source.summary
    this.#source = source
    this.#ranges = ranges
    this.#scratch = scratch
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    return this.#source.open(minTimeMs, maxTimeMs).map((piece) => new MaskedPiece(piece, this.#ranges, this.#scratch))
  }

  hasSamples(index: number, minTimeMs: number, maxTimeMs: number): boolean {
    if (!this.#source.hasSamples(index, minTimeMs, maxTimeMs)) return false
    if (!this.#ranges.has(index)) return true
    const scratch = this.#scratch
    const mark = scratch.mark()
    const isPresent = this.open(minTimeMs, maxTimeMs).some((piece) => {
      const rows = piece.timestampsMs.length
      return piece.from < piece.to && piece.read(index, scratch.take(8 * rows), scratch.take(rows)) !== 0
    })
    scratch.release(mark)
    return isPresent
  }

  /** The newest value may be one that is deleted: the columns are looked at. */
  newest(): NewestValues | undefined {
    return undefined
  }
}

class MaskedPiece implements Piece {
  readonly timestampsMs: Float64Array
  readonly from: number
  readonly to: number
  readonly #piece: Piece
  readonly #ranges: ReadonlyMap<number, readonly TimeRange[]>
  readonly #scratch: Scratch

  constructor(piece: Piece, ranges: ReadonlyMap<number, readonly TimeRange[]>, scratch: Scratch) {
    this.timestampsMs = piece.timestampsMs
    this.from = piece.from
    this.to = piece.to
    this.#piece = piece
    this.#ranges = ranges
    this.#scratch = scratch
  }

  read(index: number, values: number, kinds: number): number {
    const present = this.#piece.read(index, values, kinds)
    const ranges = this.#ranges.get(index)
    if (ranges === undefined || present === 0) return present
    const rows = this.#scratch.views.u8.subarray(kinds, kinds + this.to - this.from)
    if (present === ALL_PLAIN) rows.fill(SampleKind.DECIMAL)
    eraseRows(rows, this.timestampsMs.subarray(this.from, this.to), ranges)
    let left = 0
    for (const kind of rows) if (kind !== SampleKind.ABSENT) left++
    return present === ALL_PLAIN && left === rows.length ? ALL_PLAIN : left
  }
}
