// Hot: most range queries take their columns from here. Covered by bench/load/history.ts.
import type { ColumnRoom } from '../../kernels/index.ts'
import type { OpenPiece } from './column-output.ts'

/** Rows that a column may grow by before it must move. */
const ROWS_TO_SPARE = 64
/** Fewer of all rows are not worth keeping them all. */
const SHARE_MIN = 0.5
/** Most of the room that the columns of one target may take. */
const TARGET_SHARE_MAX = 0.25
const NOT_PLAIN = 0xffff_ffff

/** The columns of one target, as some pieces hold them. */
interface Entry {
  readonly parts: readonly EntryPart[]
  readonly at: number
  /** Rows between two columns. */
  readonly stride: number
  /** Rows put together, by series; or `NOT_PLAIN`. */
  readonly filled: Uint32Array
  /** The view of the store that used it last. */
  epoch: number
}

/** What a piece was made of: all equal, it has the same columns, if with more rows. */
interface EntryPart {
  readonly run: object
  readonly positions: object
  readonly indexes: object
  readonly rows: number
}

/**
 * Whole columns, put together from their pieces, in the memory that queries compute in: nothing is copied when they are looked
 * at again. Those without gaps and staleness markers only. What was used longest ago goes first, but nothing that the view at
 * hand has used.
 */
export class AssembledColumns {
  readonly #findRoom: () => ColumnRoom
  readonly #byRun = new WeakMap<object, Entry[]>()
  /** In order of use. */
  readonly #entries = new Set<Entry>()
  #epoch = 0

  /** @param findRoom called when it is needed, each time with the same answer */
  constructor(findRoom: () => ColumnRoom) {
    this.#findRoom = findRoom
  }

  /** A new view of the store: columns given out before are no longer looked at. */
  startEpoch(): void {
    this.#epoch++
  }

  /**
   * @param pieces in order of time, none overlapping another; all of one target
   * @returns `undefined` where its columns cannot be kept, or are not worth it
   */
  of(pieces: readonly OpenPiece[]): TargetAssembly | undefined {
    if (pieces.length === 0 || !isWorthIt(pieces)) return undefined
    const parts: EntryPart[] = []
    for (const { piece, indexes } of pieces) {
      if (piece.decoded === undefined) return undefined
      const { run, positions } = piece.decoded
      parts.push({ run, positions, indexes, rows: piece.timestampsMs.length })
    }
    const rows = parts.reduce((sum, part) => sum + part.rows, 0)
    const entry = this.#find(parts, rows) ?? this.#make(parts, rows, pieces[0]!.indexes.length)
    return entry && new TargetAssembly(this.#findRoom().buffer, entry, pieces)
  }

  #find(parts: readonly EntryPart[], rows: number): Entry | undefined {
    const entry = this.#byRun.get(parts[0]!.run)?.find((known) => isSame(known.parts, parts))
    if (entry === undefined) return undefined
    if (entry.stride < rows || !hasGrownAtEnd(entry.parts, parts)) {
      // It is made anew, unless somebody may be looking at it.
      if (entry.epoch !== this.#epoch) this.#drop(entry)
      return undefined
    }
    entry.epoch = this.#epoch
    this.#entries.delete(entry)
    this.#entries.add(entry)
    return entry
  }

  #make(parts: readonly EntryPart[], rows: number, seriesCount: number): Entry | undefined {
    const stride = rows + ROWS_TO_SPARE
    const bytes = 8 * stride * seriesCount
    const at = bytes <= this.#findRoom().bytes * TARGET_SHARE_MAX ? this.#takeRoom(bytes) : undefined
    if (at === undefined) return undefined
    const entry = { parts, at, stride, filled: new Uint32Array(seriesCount), epoch: this.#epoch }
    this.#entries.add(entry)
    const { run } = parts[0]!
    const others = (this.#byRun.get(run) ?? []).filter((other) => this.#entries.has(other))
    this.#byRun.set(run, [...others, entry])
    return entry
  }

  #takeRoom(bytes: number): number | undefined {
    const room = this.#findRoom()
    let at = room.take(bytes)
    for (const oldest of this.#entries) {
      if (at !== undefined || oldest.epoch === this.#epoch) break
      this.#drop(oldest)
      at = room.take(bytes)
    }
    return at
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry)
    this.#findRoom().release(entry.at)
    const { run } = entry.parts[0]!
    this.#byRun.set(
      run,
      this.#byRun.get(run)!.filter((other) => other !== entry),
    )
  }
}

/** The columns of one target in one range of time. */
export class TargetAssembly {
  readonly #buffer: ArrayBufferLike
  readonly #entry: Entry
  readonly #pieces: readonly OpenPiece[]
  readonly #rows: number
  readonly #from: number
  readonly length: number

  constructor(buffer: ArrayBufferLike, entry: Entry, pieces: readonly OpenPiece[]) {
    this.#buffer = buffer
    this.#entry = entry
    this.#pieces = pieces
    this.#rows = pieces.reduce((sum, { piece }) => sum + piece.timestampsMs.length, 0)
    this.#from = pieces[0]!.piece.from
    this.length = wantedRows(pieces)
  }

  /** Values of the n-th series in the range; `undefined` where it has gaps or staleness markers, in the range or not. */
  values(series: number): Float64Array | undefined {
    const { filled, at, stride } = this.#entry
    const known = filled[series]!
    if (known < this.#rows) this.#fill(series, known)
    if (filled[series] === NOT_PLAIN) return undefined
    return new Float64Array(this.#buffer, at + 8 * (series * stride + this.#from), this.length)
  }

  #fill(series: number, known: number): void {
    const { filled, at, stride } = this.#entry
    const column = new Float64Array(this.#buffer, at + 8 * series * stride, stride)
    let offset = 0
    for (const { piece, indexes } of this.#pieces) {
      const rows = piece.timestampsMs.length
      const index = indexes[series]!
      const values = index < 0 ? undefined : piece.decoded!.plain(index)
      if (values === undefined) {
        filled[series] = NOT_PLAIN
        return
      }
      const skipped = Math.min(rows, Math.max(0, known - offset))
      if (skipped < rows) column.set(skipped === 0 ? values : values.subarray(skipped), offset + skipped)
      offset += rows
    }
    filled[series] = this.#rows
  }
}

const isSame = (a: readonly EntryPart[], b: readonly EntryPart[]): boolean =>
  a.length === b.length &&
  a.every(
    ({ run, positions, indexes }, i) => run === b[i]!.run && positions === b[i]!.positions && indexes === b[i]!.indexes,
  )

/** Late rows may also come to a piece that others follow: then all of those have moved. */
const hasGrownAtEnd = (before: readonly EntryPart[], now: readonly EntryPart[]): boolean =>
  before.every(({ rows }, i) => i === before.length - 1 || rows === now[i]!.rows)

const wantedRows = (pieces: readonly OpenPiece[]): number =>
  pieces.reduce((sum, { piece }) => sum + piece.to - piece.from, 0)

/** Whether the range is one stretch of the rows, and a good part of them. */
function isWorthIt(pieces: readonly OpenPiece[]): boolean {
  let rows = 0
  for (let i = 0; i < pieces.length; i++) {
    const { from, to, timestampsMs } = pieces[i]!.piece
    if ((i > 0 && from > 0) || (i + 1 < pieces.length && to < timestampsMs.length)) return false
    rows += timestampsMs.length
  }
  return wantedRows(pieces) >= rows * SHARE_MIN
}
