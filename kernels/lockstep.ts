import { instantiateKernels } from './instance.ts'

/**
 * Compares a scrape page with the page before and turns what changed into row entries.
 *
 * A page is seen as lines of one sample each. What stands between the end of one value and the start of the next (newline,
 * comments, name and labels of the next line) is that next line's *gap*; the last part of the gap, from the first byte of the
 * line that is not blank to the value, is its *key*:
 *
 *     # TYPE a counter\na_total{x="1"} 17\n# HELP b …\nb 2.5\n
 *     └────────── gap ────────────────┘└v┘└──── gap ───┘└v┘
 *                       └──── key ────┘             └key
 *
 * The table has 8 bytes a line: u32 gap length, u24 key length above u8 value length. The map has an i32 a line: the position
 * in the row, or one of `LockstepMap`. Pages end in a newline and are followed by at least `LOCKSTEP_PADDING_BYTES` of
 * readable memory.
 */
export interface LockstepKernel {
  /**
   * As long as all gaps are equal: writes an entry for each changed value (ENTRIES, ENTRY_COUNT, ORDERED), the lines whose
   * value length changed (LENGTHS, LENGTH_COUNT: u32 line, u32 length), events of kind SLOW (EVENTS, EVENT_COUNT).
   * COMPLETE tells whether the page is equal but for values; if not, nothing of the output may be used.
   *
   * @returns the number of lines before the first difference
   */
  compare(): number
  /** Brings TABLE up to date after a complete `compare`. */
  apply(): void
  /**
   * For pages of another layout: finds each line's key among the lines before, wherever it stood, and builds NEW_TABLE and
   * NEW_MAP. Lines found keep their map value; changed ones (with FORCE all) get entries as in `compare`. Events: FRESH for a
   * line not found, SUFFIX for one found that has something behind the value or is external, SLOW, and COMMENT.
   * MATCHED (a byte per old line) and MATCHED_COUNT tell which old lines were found; duplicates are never found.
   * IRREGULAR is 1 when a line does not fit the table: then the new table must not be used.
   *
   * @returns the number of lines, or -1 when a line has no value or its quotes do not close
   */
  rematch(): number
  /** Copies within the memory: several times as fast as a typed array's own `copyWithin` and `set` where it is shared. */
  copy(to: number, from: number, length: number): void
  /** Newlines in a piece of memory: the most lines that `rematch` can find there. */
  countLines(at: number, length: number): number
  /**
   * Sorts entries by position; of several for one position the last stays. Positions are below `positionCount`, `slots` has
   * room for an i32 each.
   *
   * @returns number of entries written at `out`
   */
  order(entries: number, entryCount: number, slots: number, positionCount: number, out: number): number
}

/** Index of each u32 in the parameter block; addresses are byte offsets in the memory. Up to FORCE inputs, then results. */
export const LockstepParam = {
  CUR: 0,
  CUR_LENGTH: 1,
  PREV: 2,
  PREV_LENGTH: 3,
  TABLE: 4,
  LINE_COUNT: 5,
  MAP: 6,
  ENTRIES: 7,
  LENGTHS: 8,
  EVENTS: 9,
  NEW_TABLE: 10,
  NEW_MAP: 11,
  /** Scratch of `rematch`: an i32 per old line. */
  STARTS: 12,
  /** Scratch of `rematch`: HASH_MASK + 1 i32, a power of two of at least twice the number of old lines. */
  HASHES: 13,
  HASH_MASK: 14,
  MATCHED: 15,
  FORCE: 16,
  ENTRY_COUNT: 17,
  LENGTH_COUNT: 18,
  EVENT_COUNT: 19,
  /** 1 when the entries' positions ascend. */
  ORDERED: 20,
  COMPLETE: 21,
  IRREGULAR: 22,
  MATCHED_COUNT: 23,
} as const

export const LOCKSTEP_PARAM_BYTES = 24 * 4
export const LOCKSTEP_PADDING_BYTES = 16
export const LOCKSTEP_TABLE_BYTES = 8
/** An event: u32 kind, u32 index, u32 start, u32 end; offsets into the page. */
export const LOCKSTEP_EVENT_BYTES = 16

export const LockstepEvent = {
  /** Index is the line; start to end is the line without its newline. */
  FRESH: 1,
  /** As FRESH. No entry was written for the line. */
  SUFFIX: 2,
  /** Index is the entry whose payload is missing, or `LOCKSTEP_NO_ENTRY`; start to end is the value's text. */
  SLOW: 3,
  /** Start to end is the comment, from its `#`. */
  COMMENT: 4,
} as const

export const LOCKSTEP_NO_ENTRY = 0xffffffff

/** What stands in the map instead of a position. Values of EXTERNAL_LAST and below are the caller's own. */
export const LockstepMap = { DROPPED: -1, DUPLICATE: -2, FRESH: -3, EXTERNAL_LAST: -16 } as const

/** @param paramsAt offset of the parameter block in `memory` */
export function wasmLockstep(memory: WebAssembly.Memory, paramsAt: number): LockstepKernel {
  const kernels = instantiateKernels(memory)
  const { lockstepCompare, lockstepApply, lockstepRematch, lockstepCopy, lockstepCountLines, lockstepOrder } = kernels
  return {
    compare: () => lockstepCompare!(paramsAt),
    apply: () => void lockstepApply!(paramsAt),
    rematch: () => lockstepRematch!(paramsAt),
    copy: (to, from, length) => void lockstepCopy!(to, from, length),
    countLines: (at, length) => lockstepCountLines!(at, length),
    order: (entries, entryCount, slots, positionCount, out) =>
      lockstepOrder!(entries, entryCount, slots, positionCount, out),
  }
}
