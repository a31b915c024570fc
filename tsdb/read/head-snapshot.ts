import {
  Group,
  GROUP_WORDS,
  GroupFlag,
  GROUPS_PER_EXTENT,
  PIECE_WORDS,
  Piece,
  READER_SLOTS_MAX,
  ROOT,
  Root,
} from '../memory/layout.ts'
import { rootWord } from '../memory/shared-table.ts'
import type { MemoryViews } from '../memory/views.ts'
import { invariant } from '../../lib/errors.ts'

/** A group as it stood when the snapshot was taken. */
export interface GroupSnapshot {
  readonly id: number
  readonly flags: number
  readonly labelSet: number
  readonly stream: number
  readonly templateId: number
  readonly template: number
  readonly positionCount: number
  readonly stateVersion: number
  readonly state: number
  readonly stateCapacity: number
  readonly openPage: number
  readonly openRows: number
  readonly openMinMs: number
  readonly newestMs: number
  /** Closed rows and chunks, oldest first. */
  readonly pending: readonly PieceSnapshot[]
  readonly chunks: readonly PieceSnapshot[]
  /** The open rows as a piece. */
  readonly open: PieceSnapshot | undefined
  /** Word index of the live record, to see whether the last values moved on. */
  readonly words: number
}

export interface PieceSnapshot {
  readonly pointer: number
  readonly length: number
  readonly rowCount: number
  readonly positionCount: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** What its decoded columns are known by; empty until somebody has asked for them. */
  key: string
}

/** The head as it stood at one moment, and the list of blocks of that moment. */
export interface HeadSnapshot {
  readonly groups: readonly GroupSnapshot[]
  /** JSON; changes only when blocks come and go. */
  readonly blockList: string
  /** Table of the series that hold histograms. */
  /** Of the numbers of strings and label sets. */
  readonly catalogueGeneration: number
  readonly histograms: { readonly directory: number; readonly count: number }
  /** Samples from this time on are missing, because the head is still being read back; +∞: none are. */
  readonly missingFromMs: number
}

/** Keeps the memory a reader looks at from being freed. One per reader; pins nest. */
export class EpochPin {
  readonly #views: MemoryViews
  readonly #word: number
  #depth = 0

  constructor(views: MemoryViews, slot: number) {
    invariant(slot < READER_SLOTS_MAX, 'a reader slot is within the root')
    this.#views = views
    this.#word = (ROOT >>> 2) + Root.READER_SLOTS + slot
  }

  pin(): void {
    if (this.#depth++ > 0) return
    for (;;) {
      const epoch = rootWord(this.#views, Root.EPOCH)
      Atomics.store(this.#views.u32, this.#word, epoch)
      // The writer may have moved on, and freed, before it saw the pin.
      if (rootWord(this.#views, Root.EPOCH) === epoch) return
    }
  }

  unpin(): void {
    if (--this.#depth === 0) Atomics.store(this.#views.u32, this.#word, 0)
  }
}

const NO_PIECES: readonly PieceSnapshot[] = []

export type KnownGroups = (GroupSnapshot | undefined)[]

/**
 * Copies the group records while the writer changes none; of groups without samples only on demand. The epoch must be pinned.
 *
 * @param options `known`: groups by the number of their record, of the last snapshot that was taken with it; what has not
 *   changed since is the very same object
 */
export function takeSnapshot(
  views: MemoryViews,
  options: { withEmpty?: boolean; known?: KnownGroups } = {},
): HeadSnapshot {
  const version = (ROOT >>> 2) + Root.VERSION
  for (;;) {
    const before = Atomics.load(views.i32, version)
    if ((before & 1) !== 0) {
      Atomics.wait(views.i32, version, before, 1)
      continue
    }
    const isHidden = rootWord(views, Root.HEAD_HIDDEN) !== 0
    const missingFromMs = isHidden ? views.f64[(ROOT + 4 * Root.HIDDEN_FROM_TIME) >>> 3]! : Number.POSITIVE_INFINITY
    const extents = isHidden ? [] : copyExtents(views)
    const block = rootWord(views, Root.BLOCK_LIST)
    const blockBytes = rootWord(views, Root.BLOCK_LIST_BYTES)
    const catalogueGeneration = rootWord(views, Root.CATALOGUE_GENERATION)
    const histograms = {
      directory: rootWord(views, Root.HISTOGRAM_DIRECTORY),
      count: isHidden ? 0 : rootWord(views, Root.HISTOGRAM_COUNT),
    }
    // A read-modify-write, because it also keeps the loads before it from being moved behind it.
    if (Atomics.add(views.i32, version, 0) !== before) continue
    views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
    const blockList = blockBytes === 0 ? '[]' : new TextDecoder().decode(views.u8.slice(block, block + blockBytes))
    const groups = groupsOf(views, extents, options)
    return { groups, blockList, histograms, catalogueGeneration, missingFromMs }
  }
}

/** Records of groups as they stood, one after the other. */
interface ExtentCopy {
  /** Word index of the first live record. */
  readonly words: number
  readonly u32: Uint32Array
  readonly f64: Float64Array
}

function copyExtents(views: MemoryViews): ExtentCopy[] {
  const count = rootWord(views, Root.GROUP_COUNT)
  const directory = rootWord(views, Root.GROUP_DIRECTORY) >>> 2
  views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
  const copies: ExtentCopy[] = []
  for (let first = 0; first < count; first += GROUPS_PER_EXTENT) {
    const words = views.u32[directory + first / GROUPS_PER_EXTENT]! >>> 2
    const size = Math.min(GROUPS_PER_EXTENT, count - first) * GROUP_WORDS
    const u32 = new Uint32Array(views.u32.subarray(words, words + size))
    copies.push({ words, u32, f64: new Float64Array(u32.buffer) })
  }
  return copies
}

function groupsOf(
  views: MemoryViews,
  extents: readonly ExtentCopy[],
  { withEmpty = false, known }: { withEmpty?: boolean; known?: KnownGroups },
): GroupSnapshot[] {
  const groups: GroupSnapshot[] = []
  let record = 0
  for (const extent of extents) {
    for (let at = 0; at < extent.u32.length; at += GROUP_WORDS, record++) {
      const isLive = (extent.u32[at + Group.FLAGS]! & GroupFlag.LIVE) !== 0
      const group = isLive ? groupOf(views, extent, at, sameGroup(known?.[record], extent.u32, at)) : undefined
      if (known !== undefined) known[record] = group
      if (group !== undefined && (withEmpty || hasSamples(group))) groups.push(group)
    }
  }
  return groups
}

/** Records are used again, and pieces know their group. */
const sameGroup = (group: GroupSnapshot | undefined, u32: Uint32Array, at: number): GroupSnapshot | undefined =>
  group?.id === u32[at + Group.ID] ? group : undefined

const hasSamples = (group: GroupSnapshot): boolean => group.openRows + group.pending.length + group.chunks.length > 0

/** @param at where in the copy the record begins */
function groupOf(
  views: MemoryViews,
  { words, u32, f64 }: ExtentCopy,
  at: number,
  before: GroupSnapshot | undefined,
): GroupSnapshot {
  const pending = readPieces(views, u32[at + Group.PENDING]!, u32[at + Group.PENDING_COUNT]!, before?.pending)
  const chunks = readPieces(views, u32[at + Group.CHUNKS]!, u32[at + Group.CHUNK_COUNT]!, before?.chunks)
  if (before !== undefined && before.pending === pending && before.chunks === chunks && isSame(before, u32, f64, at)) {
    return before
  }
  const openPage = u32[at + Group.OPEN_PAGE]!
  const openRows = u32[at + Group.OPEN_ROWS]!
  const openMinMs = f64[(at + Group.OPEN_MIN_TIME) >>> 1]!
  const newestMs = f64[(at + Group.NEWEST_TIME) >>> 1]!
  const positionCount = u32[at + Group.POSITION_COUNT]!
  return {
    id: u32[at + Group.ID]!,
    flags: u32[at + Group.FLAGS]!,
    labelSet: u32[at + Group.LABEL_SET]!,
    stream: u32[at + Group.STREAM]!,
    templateId: u32[at + Group.TEMPLATE_ID]!,
    template: u32[at + Group.TEMPLATE]!,
    positionCount,
    stateVersion: u32[at + Group.STATE_VERSION]!,
    state: u32[at + Group.STATE]!,
    stateCapacity: u32[at + Group.STATE_CAPACITY]!,
    openPage,
    openRows,
    openMinMs,
    newestMs,
    pending,
    chunks,
    open: openRows === 0 ? undefined : openPiece(openPage, openRows, positionCount, openMinMs, newestMs),
    words: words + at,
  }
}

/** Whether the group's record says the same as when it was read; its pieces are another matter. */
const isSame = (group: GroupSnapshot, u32: Uint32Array, f64: Float64Array, at: number): boolean =>
  group.flags === u32[at + Group.FLAGS] &&
  group.labelSet === u32[at + Group.LABEL_SET] &&
  group.stream === u32[at + Group.STREAM] &&
  group.templateId === u32[at + Group.TEMPLATE_ID] &&
  group.template === u32[at + Group.TEMPLATE] &&
  group.positionCount === u32[at + Group.POSITION_COUNT] &&
  group.stateVersion === u32[at + Group.STATE_VERSION] &&
  group.state === u32[at + Group.STATE] &&
  group.stateCapacity === u32[at + Group.STATE_CAPACITY] &&
  group.openPage === u32[at + Group.OPEN_PAGE] &&
  group.openRows === u32[at + Group.OPEN_ROWS] &&
  Object.is(group.openMinMs, f64[(at + Group.OPEN_MIN_TIME) >>> 1]) &&
  Object.is(group.newestMs, f64[(at + Group.NEWEST_TIME) >>> 1])

const openPiece = (
  pointer: number,
  rowCount: number,
  positionCount: number,
  minTimeMs: number,
  maxTimeMs: number,
): PieceSnapshot => ({ pointer, length: 0, rowCount, positionCount, minTimeMs, maxTimeMs, key: '' })

/** @returns `before` where the table says the same as that */
function readPieces(
  views: MemoryViews,
  table: number,
  count: number,
  before: readonly PieceSnapshot[] = NO_PIECES,
): readonly PieceSnapshot[] {
  const { u32, f64 } = views
  const first = table >>> 2
  let same = 0
  while (same < count && same < before.length && isSamePiece(before[same]!, u32, f64, first + same * PIECE_WORDS))
    same++
  if (same === count && same === before.length) return before
  const pieces: PieceSnapshot[] = []
  for (let i = 0; i < count; i++) pieces.push(i < same ? before[i]! : pieceAt(u32, f64, first + i * PIECE_WORDS))
  return pieces
}

const pieceAt = (u32: Uint32Array, f64: Float64Array, at: number): PieceSnapshot => ({
  pointer: u32[at + Piece.POINTER]!,
  length: u32[at + Piece.LENGTH]!,
  rowCount: u32[at + Piece.ROWS]!,
  positionCount: u32[at + Piece.POSITIONS]!,
  minTimeMs: f64[(at + Piece.MIN_TIME) >>> 1]!,
  maxTimeMs: f64[(at + Piece.MAX_TIME) >>> 1]!,
  key: '',
})

const isSamePiece = (piece: PieceSnapshot, u32: Uint32Array, f64: Float64Array, at: number): boolean =>
  piece.pointer === u32[at + Piece.POINTER] &&
  piece.length === u32[at + Piece.LENGTH] &&
  piece.rowCount === u32[at + Piece.ROWS] &&
  piece.positionCount === u32[at + Piece.POSITIONS] &&
  piece.minTimeMs === f64[(at + Piece.MIN_TIME) >>> 1] &&
  piece.maxTimeMs === f64[(at + Piece.MAX_TIME) >>> 1]
