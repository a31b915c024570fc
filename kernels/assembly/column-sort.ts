// The values of a mini-block in order, if it pays to know. Twin: ../column-stream-twin.ts.
import { at64 } from './column-range'

// Counts of values: by value in a narrow range, by part of the range in a wider one.
const NARROW_BITS: i32 = 7
const PARTS_BITS: i32 = 6
const counts = memory.data(1 << NARROW_BITS, 16)

/** Counts the values by `(value - low) >> shift`, in places of a byte. */
function countValues(y: usize, from: i32, size: i32, low: i64, shift: u64): void {
  for (let at: usize = 0; at < 1 << NARROW_BITS; at += 16) v128.store(counts + at, i64x2.splat(0))
  for (let i = from; i < from + size; i++) {
    const at = counts + <usize>(<u64>(load<i64>(at64(y, i)) - low) >> shift)
    store<u8>(at, load<u8>(at) + 1)
  }
}

/** Whether half of a wide range may hold `enough` values. Says so too often, but spares most of the sorting. */
function isUneven(y: usize, from: i32, size: i32, low: i64, bits: i32, enough: i32): bool {
  countValues(y, from, size, low, <u64>(bits - PARTS_BITS))
  // As many parts as half of the range can touch.
  const parts: usize = (1 << (PARTS_BITS - 1)) + 1
  let within = 0
  let most = 0
  for (let part: usize = 0; part < 1 << PARTS_BITS; part++) {
    within += <i32>load<u8>(counts + part)
    if (part >= parts) within -= <i32>load<u8>(counts + part - parts)
    most = max(most, within)
  }
  return most >= enough
}

/** Sorts values of a narrow range, by counting. */
function sortNarrow(y: usize, from: i32, size: i32, low: i64, sorted: usize): void {
  countValues(y, from, size, low, 0)
  const end = at64(sorted, size)
  for (let value = low, at = counts; sorted < end; value++, at++) {
    for (let left = load<u8>(at); left > 0; left--) {
      store<i64>(sorted, value)
      sorted += 8
    }
  }
}

/** Shell sort. */
function sort(y: usize, from: i32, count: i32, x: usize): void {
  memory.copy(x, at64(y, from), <usize>count << 3)
  for (let gap = 13; gap > 0; gap = gap == 13 ? 4 : gap >> 2) {
    for (let i = gap; i < count; i++) {
      const value = load<i64>(at64(x, i))
      let j = i
      while (j >= gap && load<i64>(at64(x, j - gap)) > value) {
        store<i64>(at64(x, j), load<i64>(at64(x, j - gap)))
        j -= gap
      }
      store<i64>(at64(x, j), value)
    }
  }
}

/**
 * Sorts y[from, from + size), whose differences from `low` take `bits` bits at most, to `sorted`; false, and nothing sorted, where
 * no half of their range holds `enough` of them.
 */
export function sortValues(y: usize, from: i32, size: i32, low: i64, bits: i32, enough: i32, sorted: usize): bool {
  if (bits <= NARROW_BITS) {
    sortNarrow(y, from, size, low, sorted)
    return true
  }
  if (!isUneven(y, from, size, low, bits, enough)) return false
  sort(y, from, size, sorted)
  return true
}
