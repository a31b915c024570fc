// The parameter block of the lock-step kernels: see kernels/lockstep.ts.

// Offsets, in bytes; the same order as LockstepParam.
export const CUR: usize = 0
export const CUR_LENGTH: usize = 4
export const PREV: usize = 8
export const PREV_LENGTH: usize = 12
export const TABLE: usize = 16
export const LINE_COUNT: usize = 20
export const MAP: usize = 24
export const ENTRIES: usize = 28
export const LENGTHS: usize = 32
export const EVENTS: usize = 36
export const NEW_TABLE: usize = 40
export const NEW_MAP: usize = 44
export const STARTS: usize = 48
export const HASHES: usize = 52
export const HASH_MASK: usize = 56
export const MATCHED: usize = 60
export const FORCE: usize = 64
export const ENTRY_COUNT: usize = 68
export const LENGTH_COUNT: usize = 72
export const EVENT_COUNT: usize = 76
export const ORDERED: usize = 80
export const COMPLETE: usize = 84
export const IRREGULAR: usize = 88
export const MATCHED_COUNT: usize = 92

/** What a line's value may be long in the table; longer ones are marked by it. */
export const VALUE_LENGTH_MAX: i32 = 255
