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

/** Copies the group records while the writer changes none; of groups without samples only on demand. The epoch must be pinned. */
export function takeSnapshot(views: MemoryViews, options: { withEmpty?: boolean } = {}): HeadSnapshot {
  const version = (ROOT >>> 2) + Root.VERSION
  for (;;) {
    const before = Atomics.load(views.i32, version)
    if ((before & 1) !== 0) {
      Atomics.wait(views.i32, version, before, 1)
      continue
    }
    const records = copyRecords(views)
    const block = rootWord(views, Root.BLOCK_LIST)
    const blockBytes = rootWord(views, Root.BLOCK_LIST_BYTES)
    const catalogueGeneration = rootWord(views, Root.CATALOGUE_GENERATION)
    const histograms = {
      directory: rootWord(views, Root.HISTOGRAM_DIRECTORY),
      count: rootWord(views, Root.HISTOGRAM_COUNT),
    }
    // A read-modify-write, because it also keeps the loads before it from being moved behind it.
    if (Atomics.add(views.i32, version, 0) !== before) continue
    views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
    const blockList = blockBytes === 0 ? '[]' : new TextDecoder().decode(views.u8.slice(block, block + blockBytes))
    const groups = records.map((record) => groupOf(views, record))
    return {
      groups: options.withEmpty === true ? groups : groups.filter(hasSamples),
      blockList,
      histograms,
      catalogueGeneration,
    }
  }
}

interface RecordCopy {
  readonly id: number
  readonly words: number
  readonly u32: Uint32Array
  readonly f64: Float64Array
}

function copyRecords(views: MemoryViews): RecordCopy[] {
  const count = rootWord(views, Root.GROUP_COUNT)
  const directory = rootWord(views, Root.GROUP_DIRECTORY) >>> 2
  views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
  const copies: RecordCopy[] = []
  for (let first = 0; first < count; first += GROUPS_PER_EXTENT) {
    const extent = views.u32[directory + first / GROUPS_PER_EXTENT]! >>> 2
    const size = Math.min(GROUPS_PER_EXTENT, count - first) * GROUP_WORDS
    const all = new Uint32Array(views.u32.subarray(extent, extent + size))
    for (let i = 0; i < size; i += GROUP_WORDS) {
      if ((all[i + Group.FLAGS]! & GroupFlag.LIVE) === 0) continue
      const u32 = all.subarray(i, i + GROUP_WORDS)
      const f64 = new Float64Array(all.buffer, i * 4, GROUP_WORDS / 2)
      copies.push({ id: u32[Group.ID]!, words: extent + i, u32, f64 })
    }
  }
  return copies
}

const hasSamples = (group: GroupSnapshot): boolean => group.openRows + group.pending.length + group.chunks.length > 0

function groupOf(views: MemoryViews, { id, words, u32, f64 }: RecordCopy): GroupSnapshot {
  const pending = readPieces(views, u32[Group.PENDING]!, u32[Group.PENDING_COUNT]!)
  const chunks = readPieces(views, u32[Group.CHUNKS]!, u32[Group.CHUNK_COUNT]!)
  return {
    id,
    flags: u32[Group.FLAGS]!,
    labelSet: u32[Group.LABEL_SET]!,
    stream: u32[Group.STREAM]!,
    templateId: u32[Group.TEMPLATE_ID]!,
    template: u32[Group.TEMPLATE]!,
    positionCount: u32[Group.POSITION_COUNT]!,
    stateVersion: u32[Group.STATE_VERSION]!,
    state: u32[Group.STATE]!,
    stateCapacity: u32[Group.STATE_CAPACITY]!,
    openPage: u32[Group.OPEN_PAGE]!,
    openRows: u32[Group.OPEN_ROWS]!,
    openMinMs: f64[Group.OPEN_MIN_TIME / 2]!,
    newestMs: f64[Group.NEWEST_TIME / 2]!,
    pending,
    chunks,
    words,
  }
}

function readPieces(views: MemoryViews, table: number, count: number): PieceSnapshot[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (table >>> 2) + i * PIECE_WORDS
    return {
      pointer: views.u32[at + Piece.POINTER]!,
      length: views.u32[at + Piece.LENGTH]!,
      rowCount: views.u32[at + Piece.ROWS]!,
      positionCount: views.u32[at + Piece.POSITIONS]!,
      minTimeMs: views.f64[(at + Piece.MIN_TIME) >>> 1]!,
      maxTimeMs: views.f64[(at + Piece.MAX_TIME) >>> 1]!,
    }
  })
}
