/**
 * Where things lie in the shared memory of the head. One writer (the main thread), any number of readers.
 *
 *   0            kernels' constants
 *   ROOT         root words (u32): counts, directories, epoch, reader slots
 *   ROOT + 4096  everything else, handed out by `HeadMemory`
 *
 * Records that readers follow are either immutable once published or guarded: the group records by the root's `VERSION`
 * (odd while the writer changes them), a group's last-value columns by the group's `STATE_VERSION`.
 */
import { KERNEL_RESERVED_BYTES } from '../../kernels/index.ts'

export const ROOT = KERNEL_RESERVED_BYTES
export const ROOT_BYTES = 4096

/** Offsets in u32 words from ROOT. */
export const Root = {
  VERSION: 0,
  EPOCH: 1,
  MEMORY_PAGES: 2,
  GROUP_COUNT: 3,
  SYMBOL_COUNT: 4,
  LABEL_SET_COUNT: 5,
  GROUP_DIRECTORY: 6,
  SYMBOL_DIRECTORY: 7,
  LABEL_SET_DIRECTORY: 8,
  SYMBOL_HASH: 9,
  SYMBOL_HASH_SLOTS: 10,
  BLOCK_LIST: 11,
  BLOCK_LIST_BYTES: 12,
  /** Counts the times a reader met a damaged page. */
  DAMAGE_REPORTS: 13,
  /** Table of pointers to the series that hold histograms, and how many there are. */
  HISTOGRAM_DIRECTORY: 14,
  HISTOGRAM_COUNT: 15,
  /** Moves on when numbers of strings and label sets may come to mean something else: readers forget theirs. */
  CATALOGUE_GENERATION: 16,
  /** Not 0 while the head is being read back: what there is of it is not to be looked at. */
  HEAD_HIDDEN: 17,
  /** f64; while the head is hidden: samples from this time on are in it, not in blocks. */
  HIDDEN_FROM_TIME: 18,
  READER_SLOTS: 64,
} as const
export const READER_SLOTS_MAX = 128

/** A group record: 32 words. f64 fields take two words and are 8-byte aligned. */
export const GROUP_WORDS = 32
export const Group = {
  FLAGS: 0,
  LABEL_SET: 1,
  TEMPLATE_ID: 2,
  TEMPLATE: 3,
  POSITION_COUNT: 4,
  STATE_VERSION: 5,
  STATE: 6,
  STATE_CAPACITY: 7,
  OPEN_PAGE: 8,
  OPEN_ROWS: 9,
  PENDING: 10,
  PENDING_COUNT: 11,
  CHUNKS: 12,
  CHUNK_COUNT: 13,
  STREAM: 14,
  /** Of the group, not of its record: records are used again. */
  ID: 15,
  NEWEST_TIME: 16,
  OPEN_MIN_TIME: 18,
} as const
/**
 * TRUSTED: the last values have been kept since the group's first row, so that readers may answer from them. LATE: holds
 * samples that came behind newer ones of their series.
 */
export const GroupFlag = { LIVE: 1, SPARSE: 2, TRUSTED: 4, LATE: 8 } as const

/** A closed run of rows, or a sealed chunk. LENGTH: of a chunk, in bytes. Times are f64. */
export const PIECE_WORDS = 8
export const Piece = { POINTER: 0, LENGTH: 1, ROWS: 2, POSITIONS: 3, MIN_TIME: 4, MAX_TIME: 6 } as const

/**
 * A series that holds histograms: label set and number of pages, then the pages, oldest first. ID tells pages apart for
 * good, COUNT is stored last when a page grows. Times are f64.
 */
export const HISTOGRAM_HEADER_WORDS = 2
export const HistogramSeries = { LABEL_SET: 0, PAGE_COUNT: 1 } as const
export const HISTOGRAM_PAGE_WORDS = 8
export const HistogramPage = { POINTER: 0, LENGTH: 1, COUNT: 2, ID: 3, MIN_TIME: 4, MAX_TIME: 6 } as const

/** A page of rows: header, then row records. */
export const PAGE_HEADER_BYTES = 16
export const Page = { NEXT: 0, ROWS: 1, USED: 2, CAPACITY: 3 } as const

/** Symbol: u32 byte length, u32 hash, UTF-8 bytes. Label set: u32 pair count, u32 hash, then (name, value) symbol ids. */
export const RECORD_HEADER_BYTES = 8

/** A template's label-set id of a position whose labels were lost to damage; it matches nothing. */
export const LOST_LABEL_SET = 0xffff_ffff

/** Tables of u32 pointers, in extents behind a directory, so that they grow without moving. */
export const TABLE_EXTENT_ENTRIES = 16_384
export const TABLE_DIRECTORY_ENTRIES = 4096
export const GROUPS_PER_EXTENT = 512

export const stateBytes = (capacity: number, sparse: boolean): number => capacity * (sparse ? 18 : 10)
/** Columns of a group's last values inside its state block: i64 m, [f64 newest time], i8 e, u8 kind. */
export const stateColumns = (
  state: number,
  capacity: number,
  sparse: boolean,
): { m: number; lastTs: number; e: number; k: number } => {
  const afterWide = state + capacity * (sparse ? 16 : 8)
  return { m: state, lastTs: sparse ? state + capacity * 8 : 0, e: afterWide, k: afterWide + capacity }
}
