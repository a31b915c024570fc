// Hot. Covered by bench/micro/row.bench.ts and bench/micro/column.bench.ts.
import { SampleKind, type TimeRange, writeStaleNaN } from '../../model/index.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { Group, GroupFlag, stateColumns } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import { ChunkPiece } from './chunk-piece.ts'
import type { ColumnBlock, ColumnCache } from './column-cache.ts'
import { reachOf } from './group-reach.ts'
import type { GroupSnapshot, PieceSnapshot } from './head-snapshot.ts'
import { type GroupSource, NewestState, type NewestValues, type Piece } from './piece.ts'
import { type RowBlock, RowsPiece } from './rows-piece.ts'

// In the joined code an import may lie in another piece, which is asked for it each time that it is named.
const { NONE, VALUE, STALE } = NewestState
const { ABSENT, RAW, STALE: STALE_KIND } = SampleKind

/** A group of the head as a source of some of its positions. */
export class HeadSource implements GroupSource {
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly #positions: Uint32Array
  readonly #group: GroupSnapshot
  readonly #views: MemoryViews
  readonly #scratch: Scratch
  readonly #cache: ColumnCache | undefined

  /** @param cache `undefined` where the query looks at more than the cache would hold */
  constructor(
    views: MemoryViews,
    scratch: Scratch,
    cache: ColumnCache | undefined,
    group: GroupSnapshot,
    selection: { target: number; overlays: Uint32Array; positions: Uint32Array },
  ) {
    this.#views = views
    this.#scratch = scratch
    this.#cache = cache
    this.#group = group
    this.target = selection.target
    this.overlays = selection.overlays
    this.#positions = selection.positions
    const { minTimeMs, maxTimeMs } = reachOf(group)
    this.minTimeMs = minTimeMs
    this.maxTimeMs = maxTimeMs
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    const range = { minTimeMs, maxTimeMs }
    const { chunks, pending, open } = this.#group
    const opened: Piece[] = []
    for (const piece of chunks) if (overlaps(piece, range)) opened.push(this.#openChunk(piece, range))
    for (const piece of pending) if (overlaps(piece, range)) opened.push(this.#openRows(piece, range))
    if (open !== undefined && overlaps(open, range)) opened.push(this.#openRows(open, range))
    return opened
  }

  hasSamples(index: number, minTimeMs: number, maxTimeMs: number): boolean {
    const position = this.#positions[index]!
    const group = this.#group
    if (group.openRows > 0 && group.newestMs >= minTimeMs && group.newestMs <= maxTimeMs) {
      const { k, lastTs } = stateColumns(group.state, group.stateCapacity, (group.flags & GroupFlag.SPARSE) !== 0)
      // Of a sparse group every position that was ever written holds a kind; its newest time tells.
      const isFresh = lastTs === 0 || this.#views.f64[(lastTs >>> 3) + position]! >= minTimeMs
      if ((this.#views.u8[k + position]! & 3) !== ABSENT && isFresh) return true
    }
    const range = { minTimeMs, maxTimeMs }
    const { chunks, pending, open } = group
    const isInChunk = (piece: PieceSnapshot): boolean =>
      overlaps(piece, range) && new ChunkView(this.#views.u8.buffer, piece.pointer).lengthOf(position) > 0
    const isInRows = (piece: PieceSnapshot): boolean =>
      overlaps(piece, range) && this.#openRows(piece, range).countOf(index) > 0
    return chunks.some(isInChunk) || pending.some(isInRows) || (open !== undefined && isInRows(open))
  }

  newest(maxTimeMs: number): NewestValues | undefined {
    const group = this.#group
    if ((group.flags & GroupFlag.TRUSTED) === 0 || group.newestMs > maxTimeMs) return undefined
    return HeadNewest.copy(this.#views, group, this.#positions)
  }

  #openChunk(piece: PieceSnapshot, range: { minTimeMs: number; maxTimeMs: number }): ChunkPiece {
    const key = this.#keyOf(piece, 'c')
    const run = this.#cache?.run<ColumnBlock>(key)
    const opened = new ChunkPiece(this.#views, this.#scratch, piece, this.#positions, run, range)
    this.#cache?.settle(key, opened.hasDecoded)
    return opened
  }

  /** Open rows keep their first page and time when they are closed. */
  #openRows(piece: PieceSnapshot, range: { minTimeMs: number; maxTimeMs: number }): RowsPiece {
    const key = this.#keyOf(piece, 'r')
    const run = this.#cache?.run<RowBlock>(key)
    const opened = new RowsPiece(this.#views, this.#scratch, piece, this.#positions, run, range)
    this.#cache?.settle(key, opened.hasDecoded)
    return opened
  }

  /** Made once for as long as the piece stays as it is: spelling out a time takes longer than finding what it names. */
  #keyOf(piece: PieceSnapshot, kind: 'c' | 'r'): string {
    if (piece.key === '') piece.key = `${kind}${this.#group.id}:${piece.pointer}:${piece.minTimeMs}`
    return piece.key
  }
}

const overlaps = (piece: PieceSnapshot, range: TimeRange): boolean =>
  piece.maxTimeMs >= range.minTimeMs && piece.minTimeMs <= range.maxTimeMs

/** The last-value columns of a group, copied at a moment when they were those of the snapshot. */
class HeadNewest implements NewestValues {
  /** Where in the columns the series are; `undefined` where the columns hold just these, in their order. */
  readonly #positions: Uint32Array | undefined
  readonly #newestMs: number
  readonly #lastMs: Float64Array | undefined
  readonly #mantissas: Uint32Array
  readonly #exponents: Int8Array
  readonly #kinds: Uint8Array

  private constructor(
    group: GroupSnapshot,
    positions: Uint32Array | undefined,
    columns: { lastMs: Float64Array | undefined; mantissas: Uint32Array; exponents: Int8Array; kinds: Uint8Array },
  ) {
    this.#positions = positions
    this.#newestMs = group.newestMs
    this.#lastMs = columns.lastMs
    this.#mantissas = columns.mantissas
    this.#exponents = columns.exponents
    this.#kinds = columns.kinds
  }

  /** `undefined` when the writer has moved on since the snapshot. */
  static copy(views: MemoryViews, group: GroupSnapshot, positions: Uint32Array): HeadNewest | undefined {
    const isCurrent = (): boolean =>
      Atomics.add(views.u32, group.words + Group.STATE_VERSION, 0) === group.stateVersion &&
      (group.stateVersion & 1) === 0
    if (!isCurrent()) return undefined
    const { m, lastTs, e, k } = stateColumns(group.state, group.stateCapacity, (group.flags & GroupFlag.SPARSE) !== 0)
    const { u8, u32, f64 } = views
    const count = group.positionCount
    if (positions.length * GATHER_RATIO < count) {
      const columns = {
        lastMs: lastTs === 0 ? undefined : Float64Array.from(positions, (position) => f64[(lastTs >>> 3) + position]!),
        mantissas: gatherPairs(u32, m >>> 2, positions),
        exponents: Int8Array.from(positions, (position) => u8[e + position]!),
        kinds: Uint8Array.from(positions, (position) => u8[k + position]!),
      }
      return isCurrent() ? new HeadNewest(group, undefined, columns) : undefined
    }
    const columns = {
      lastMs: lastTs === 0 ? undefined : f64.slice(lastTs >>> 3, (lastTs >>> 3) + count),
      mantissas: u32.slice(m >>> 2, (m >>> 2) + 2 * count),
      exponents: new Int8Array(u8.slice(e, e + count).buffer),
      kinds: u8.slice(k, k + count),
    }
    return isCurrent() ? new HeadNewest(group, positions, columns) : undefined
  }

  timeOf(index: number, minTimeMs: number): number {
    const position = this.#positions === undefined ? index : this.#positions[index]!
    if (this.#lastMs !== undefined) return this.#lastMs[position]!
    if (this.#kinds[position] !== ABSENT) return this.#newestMs
    // The place of the mantissa holds the time of the last sample before it went absent, 0 if there was none: a bound.
    const high = this.#mantissas[2 * position + 1]! | 0
    const boundMs = high * 2 ** 32 + this.#mantissas[2 * position]!
    return boundMs < minTimeMs ? Number.NEGATIVE_INFINITY : Number.NaN
  }

  fill(
    count: number,
    { minTimeMs, maxTimeMs }: { minTimeMs: number; maxTimeMs: number },
    values: Float64Array,
    states: Uint8Array,
  ): boolean {
    for (let i = 0; i < count; i++) {
      const timeMs = this.timeOf(i, minTimeMs)
      if (timeMs < minTimeMs) states[i] = NONE
      else if (timeMs <= maxTimeMs) states[i] = VALUE
      else return false
    }
    const columns = { mantissas: this.#mantissas, exponents: this.#exponents, kinds: this.#kinds }
    decodeNewest(columns, this.#positions, states.subarray(0, count), values.subarray(0, count))
    return true
  }

  valueOf(index: number, into: Float64Array): boolean {
    const position = this.#positions === undefined ? index : this.#positions[index]!
    const kind = this.#kinds[position]! & 3
    const low = this.#mantissas[2 * position]!
    const high = this.#mantissas[2 * position + 1]!
    if (kind === STALE_KIND) writeStaleNaN(into, 0)
    else if (kind === RAW) new Uint32Array(into.buffer, into.byteOffset, 2).set([low, high])
    else {
      const exponent = this.#exponents[position]!
      const mantissa = (high | 0) * 2 ** 32 + low
      const power = POWERS[Math.abs(exponent)]!
      into[0] = exponent > 0 ? mantissa / power : mantissa * power
    }
    return kind === STALE_KIND
  }
}

/** Values of mantissas with exponents, of the positions given; RAW ones as their bits. */
function decodeNewest(
  columns: { mantissas: Uint32Array; exponents: Int8Array; kinds: Uint8Array },
  positions: Uint32Array | undefined,
  states: Uint8Array,
  values: Float64Array,
): void {
  const { mantissas, exponents, kinds } = columns
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
  for (let i = 0; i < states.length; i++) {
    if (states[i] === NONE) continue
    const position = positions === undefined ? i : positions[i]!
    const kind = kinds[position]! & 3
    const low = mantissas[2 * position]!
    const high = mantissas[2 * position + 1]!
    if (kind === STALE_KIND) states[i] = STALE
    else if (kind === RAW) {
      words[2 * i] = low
      words[2 * i + 1] = high
    } else {
      const exponent = exponents[position]!
      const mantissa = (high | 0) * 2 ** 32 + low
      if (exponent === 0) values[i] = mantissa
      else values[i] = exponent > 0 ? mantissa / POWERS[exponent]! : mantissa * POWERS[-exponent]!
    }
  }
}

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

// Below one in so many positions picking them costs less than copying all.
const GATHER_RATIO = 4

function gatherPairs(words: Uint32Array, at: number, positions: Uint32Array): Uint32Array {
  const pairs = new Uint32Array(2 * positions.length)
  for (let i = 0; i < positions.length; i++) {
    pairs[2 * i] = words[at + 2 * positions[i]!]!
    pairs[2 * i + 1] = words[at + 2 * positions[i]! + 1]!
  }
  return pairs
}
