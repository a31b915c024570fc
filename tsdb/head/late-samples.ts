import { SampleKind } from '../../model/index.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import { Scratch } from '../memory/scratch.ts'
import { ChunkPiece } from '../read/chunk-piece.ts'
import { ALL_PLAIN, type Piece } from '../read/piece.ts'
import { RowsPiece } from '../read/rows-piece.ts'
import type { Head } from './head.ts'
import type { HeadGroup } from './head-group.ts'
import { PairMap } from './pair-map.ts'
import type { PieceInfo } from './pieces.ts'

const NEVER = -1
// Of an entry: where the high half of the time is.
const HIGH_MASK = 0x7fff_0000
const ALL_TIMES = { minTimeMs: Number.NEGATIVE_INFINITY, maxTimeMs: Number.POSITIVE_INFINITY }

/**
 * Which late samples of a stream the head holds. Of those that come for one series and time the first is stored: a sender
 * that repeats itself would fill a group with each round otherwise.
 *
 * The groups are the truth. This table is made of them when the first late sample comes, and again once some have gone into a
 * block: what comes then for the same time is stored, and is newer than the block.
 */
export class LateSamples {
  readonly #head: Head
  readonly #stream: string
  /** By 16 neighbouring label sets, which often come together, and the low half of the time: the high half, and a bit each. */
  readonly #known = new PairMap()
  /** The head's count of departures as of which the table holds. */
  #departures = NEVER

  constructor(head: Head, stream: string) {
    this.#head = head
    this.#stream = stream
  }

  /** Takes note of a sample that is about to be stored. @returns false when the head holds one of its time */
  add(labelSet: number, timestampMs: number): boolean {
    if (this.#departures !== this.#head.lateDepartures) this.#fill()
    return this.#note(labelSet, timestampMs)
  }

  /** Frees the table where it does not hold any more. */
  reclaim(): void {
    if (this.#departures !== this.#head.lateDepartures) this.forget()
  }

  /** What was noted may not have been stored. */
  forget(): void {
    this.#departures = NEVER
    this.#known.clear()
  }

  #note(labelSet: number, timestampMs: number): boolean {
    const low = timestampMs >>> 0
    const high = (Math.floor(timestampMs / 2 ** 32) << 16) & HIGH_MASK
    const bit = 1 << (labelSet & 15)
    const entry = this.#known.get(labelSet >>> 4, low)
    const others = entry >= 0 && (entry & HIGH_MASK) === high ? entry : high
    if ((others & bit) !== 0) return false
    this.#known.set(labelSet >>> 4, low, others | bit)
    return true
  }

  #fill(): void {
    this.#known.clear()
    const groups = this.#head.streamGroups(this.#stream).filter((group) => group.isLate && !group.isEmpty)
    if (groups.length > 0) {
      const scratch = new Scratch()
      for (const group of groups) this.#noteGroup(group, scratch)
    }
    this.#departures = this.#head.lateDepartures
  }

  #noteGroup(group: HeadGroup, scratch: Scratch): void {
    const { views } = this.#head.memory
    const positions = Uint32Array.from({ length: group.positionCount }, (_, position) => position)
    const open = (Kind: typeof ChunkPiece | typeof RowsPiece, piece: PieceInfo): void => {
      const mark = scratch.mark()
      const snapshot = { ...piece, key: '' }
      this.#notePiece(group, new Kind(views, scratch, snapshot, positions, undefined, ALL_TIMES), scratch)
      scratch.release(mark)
    }
    for (const chunk of group.chunks) open(ChunkPiece, chunk)
    for (const rows of group.rowRuns) open(RowsPiece, rows)
  }

  #notePiece(group: HeadGroup, piece: Piece, scratch: Scratch): void {
    const { timestampsMs } = piece
    const rowCount = timestampsMs.length
    const values = scratch.take(8 * rowCount)
    const kinds = scratch.take(rowCount)
    for (let position = 0; position < group.positionCount; position++) {
      const labelSet = group.labelSetAt(position)
      if (labelSet === LOST_LABEL_SET) continue
      const present = piece.read(position, values, kinds)
      if (present === 0) continue
      const { u8 } = scratch.views
      for (let row = 0; row < rowCount; row++) {
        const isPresent = present === ALL_PLAIN || u8[kinds + row] !== SampleKind.ABSENT
        if (isPresent) this.#note(labelSet, timestampsMs[row]!)
      }
    }
  }
}
