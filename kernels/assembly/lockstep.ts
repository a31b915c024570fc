// Scrape pages compared with the page before: see kernels/lockstep.ts for the picture, the parameter block and the rules.
// Covered by bench/micro/lockstep.bench.ts. Twin: kernels/lockstep-twin.ts.

import { exponent, mantissa, parseDecimal } from './lockstep-number'

// Offsets in the parameter block, in bytes; the same order as LockstepParam.
const CUR: usize = 0
const CUR_LENGTH: usize = 4
const PREV: usize = 8
const PREV_LENGTH: usize = 12
const TABLE: usize = 16
const LINE_COUNT: usize = 20
const MAP: usize = 24
const ENTRIES: usize = 28
const LENGTHS: usize = 32
const EVENTS: usize = 36
const NEW_TABLE: usize = 40
const NEW_MAP: usize = 44
const STARTS: usize = 48
const HASHES: usize = 52
const HASH_MASK: usize = 56
const MATCHED: usize = 60
const FORCE: usize = 64
const ENTRY_COUNT: usize = 68
const LENGTH_COUNT: usize = 72
const EVENT_COUNT: usize = 76
const ORDERED: usize = 80
const COMPLETE: usize = 84
const IRREGULAR: usize = 88
const MATCHED_COUNT: usize = 92

const EVENT_FRESH: u32 = 1
const EVENT_SUFFIX: u32 = 2
const EVENT_SLOW: u32 = 3
const EVENT_COMMENT: u32 = 4

const MAP_DUPLICATE: i32 = -2
const MAP_FRESH: i32 = -3
const MAP_EXTERNAL_LAST: i32 = -16
const NO_ENTRY: u32 = 0xffffffff

const KIND_DECIMAL: u32 = 1
const KIND_RAW: u32 = 2
const VALUE_LENGTH_MAX: i32 = 255
const KEY_LENGTH_MAX: i32 = 0xffffff

/** Index of the first byte that differs, n when none does. Reads up to 15 bytes beyond n. */
@inline function firstDiff(a: usize, b: usize, n: i32): i32 {
  let i: i32 = 0
  for (; i < n; i += 16) {
    const mask = i8x16.bitmask(i8x16.ne(v128.load(a + i), v128.load(b + i)))
    if (mask) return min<i32>(n, i + ctz<i32>(mask))
  }
  return n
}

/** As `firstDiff`, for long pieces: does not end at each line. */
@inline function commonLength(a: usize, b: usize, n: i32): i32 {
  let i: i32 = 0
  for (; i + 64 <= n; i += 64) {
    const x0 = v128.xor(v128.load(a + i), v128.load(b + i))
    const x1 = v128.xor(v128.load(a + i, 16), v128.load(b + i, 16))
    const x2 = v128.xor(v128.load(a + i, 32), v128.load(b + i, 32))
    const x3 = v128.xor(v128.load(a + i, 48), v128.load(b + i, 48))
    if (v128.any_true(v128.or(v128.or(x0, x1), v128.or(x2, x3)))) {
      const lower = unequal(x0) | (unequal(x1) << 16)
      if (lower) return i + ctz<i32>(lower)
      return i + 32 + ctz<i32>(unequal(x2) | (unequal(x3) << 16))
    }
  }
  return i + firstDiff(a + i, b + i, n - i)
}

@inline function unequal(x: v128): i32 {
  return i8x16.bitmask(i8x16.ne(x, i8x16.splat(0)))
}

/** Where the token ends in which `p` stands. Reads up to 15 bytes beyond. */
@inline function tokenEnd(p: usize): usize {
  let mask = endsAt(p)
  while (!mask) mask = endsAt((p += 16))
  return p + ctz<i32>(mask)
}

/** A bit for each of the next 16 bytes that ends a token. */
@inline function endsAt(p: usize): i32 {
  const bytes = v128.load(p)
  const blanks = v128.or(i8x16.eq(bytes, i8x16.splat(32)), i8x16.eq(bytes, i8x16.splat(9)))
  return i8x16.bitmask(v128.or(blanks, i8x16.eq(bytes, i8x16.splat(10))))
}

@inline function isEnd(c: u32): bool {
  return c == 10 || c == 32 || c == 9
}

@inline function isBlank(c: u32): bool {
  return c == 32 || c == 9
}

let entryCount: u32 = 0
let eventCount: u32 = 0
let lastPosition: i32 = -1
let ordered: u32 = 1

@inline function writeEvent(events: usize, kind: u32, index: u32, start: u32, end: u32): void {
  const at = events + (<usize>eventCount << 4)
  eventCount++
  store<u32>(at, kind)
  store<u32>(at, index, 4)
  store<u32>(at, start, 8)
  store<u32>(at, end, 12)
}

/** Turns the changed value at cur+start..end into a row entry, or an event where the text needs the slow path. */
@inline function emitValue(entries: usize, events: usize, cur: usize, start: i32, end: i32, position: i32): void {
  const exact = parseDecimal(cur + start, cur + end)
  if (position < 0) {
    // Not stored, but a broken value must fail the scrape all the same.
    if (!exact) writeEvent(events, EVENT_SLOW, NO_ENTRY, start, end)
    return
  }
  const at = entries + (<usize>entryCount << 4)
  store<u32>(at, position)
  if (exact) {
    store<u32>(at, KIND_DECIMAL | ((<u32>exponent & 255) << 8), 4)
    store<i64>(at, mantissa, 8)
  } else {
    store<u32>(at, KIND_RAW, 4)
    store<i64>(at, 0, 8)
    writeEvent(events, EVENT_SLOW, entryCount, start, end)
  }
  entryCount++
  if (position <= lastPosition) ordered = 0
  lastPosition = position
}

/** See LockstepKernel.compare. */
export function lockstepCompare(params: usize): i32 {
  const cur: usize = load<u32>(params, CUR)
  const n: i32 = load<i32>(params, CUR_LENGTH)
  const prev: usize = load<u32>(params, PREV)
  const prevLength: i32 = load<i32>(params, PREV_LENGTH)
  const lineCount: i32 = load<i32>(params, LINE_COUNT)
  const map: usize = load<u32>(params, MAP)
  const entries: usize = load<u32>(params, ENTRIES)
  const lengths: usize = load<u32>(params, LENGTHS)
  const events: usize = load<u32>(params, EVENTS)
  let table: usize = load<u32>(params, TABLE)
  let lengthCount: u32 = 0
  let p: i32 = 0
  let q: i32 = 0
  let i: i32 = 0
  entryCount = 0
  eventCount = 0
  lastPosition = -1
  ordered = 1
  let complete = false
  for (;;) {
    // What is the same from here on, and the lines that end in it with the byte behind their value.
    let same = commonLength(cur + p, prev + q, min<i32>(n - p, prevLength - q))
    let gap: i32 = 0
    let full: i32 = 0
    for (; i < lineCount; i++, table += 8) {
      const valueLength = load<i32>(table, 4) & 255
      gap = load<i32>(table)
      full = gap + valueLength
      // The longest ones may be longer than the table can say.
      if (full >= same || valueLength == VALUE_LENGTH_MAX) break
      p += full
      q += full
      same -= full
    }
    if (i == lineCount) {
      complete = same == n - p && same == prevLength - q
      break
    }
    const start = p + gap
    if (same < gap || start >= n) break
    const v = <i32>(tokenEnd(cur + p + min<i32>(same, full)) - cur)
    const length = v - start
    if (length == 0 || length > VALUE_LENGTH_MAX) break
    if (length != full - gap) {
      const at = lengths + (<usize>lengthCount << 3)
      lengthCount++
      store<u32>(at, i)
      store<u32>(at, length, 4)
    }
    // It may be the byte behind the value that is another.
    if (same < full || v - p > full) emitValue(entries, events, cur, start, v, load<i32>(map + (<usize>i << 2)))
    p = v
    q += full
    i++
    table += 8
  }
  store<u32>(params, entryCount, ENTRY_COUNT)
  store<u32>(params, lengthCount, LENGTH_COUNT)
  store<u32>(params, eventCount, EVENT_COUNT)
  store<u32>(params, ordered, ORDERED)
  store<u32>(params, complete ? 1 : 0, COMPLETE)
  return i
}

/** See LockstepKernel.apply. */
export function lockstepApply(params: usize): void {
  const table: usize = load<u32>(params, TABLE)
  const lengths: usize = load<u32>(params, LENGTHS)
  const count = load<u32>(params, LENGTH_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const at = lengths + (<usize>i << 3)
    const row = table + (<usize>load<u32>(at) << 3)
    store<u32>(row, (load<u32>(row, 4) & 0xffffff00) | load<u32>(at, 4), 4)
  }
}

/** Offset at which the value begins, -1 for a line that has no value or quotes that do not close. */
function skipKey(cur: usize, from: i32): i32 {
  let p = from
  let c: u32 = load<u8>(cur + p)
  while (!isEnd(c) && c != 123) c = load<u8>(cur + ++p)
  while (isBlank(c)) c = load<u8>(cur + ++p)
  if (c == 123) {
    c = load<u8>(cur + ++p)
    while (c != 125) {
      if (c == 10) return -1
      if (c == 34) {
        c = load<u8>(cur + ++p)
        while (c != 34) {
          if (c == 92) c = load<u8>(cur + ++p)
          if (c == 10) return -1
          c = load<u8>(cur + ++p)
        }
      }
      c = load<u8>(cur + ++p)
    }
    c = load<u8>(cur + ++p)
    while (isBlank(c)) c = load<u8>(cur + ++p)
  }
  return c == 10 ? -1 : p
}

@inline function hashKey(p: usize, length: i32): u32 {
  let h: u64 = <u64>length * 0x9e3779b97f4a7c15
  let i: i32 = 0
  for (; i + 8 <= length; i += 8) h = rotl<u64>((h ^ load<u64>(p + i)) * 0xff51afd7ed558ccd, 29)
  const left = length - i
  if (left > 0) h = rotl<u64>((h ^ (load<u64>(p + i) & ((<u64>1 << (left << 3)) - 1))) * 0xff51afd7ed558ccd, 29)
  h ^= h >> 32
  return <u32>(h * 0xc4ceb9fe1a85ec53 >> 32)
}

function fillStarts(table: usize, lineCount: i32, starts: usize): void {
  let at: i32 = 0
  for (let i = 0; i < lineCount; i++) {
    const row = table + (<usize>i << 3)
    const sizes = load<u32>(row, 4)
    at += load<i32>(row)
    store<i32>(starts + (<usize>i << 2), at - <i32>(sizes >> 8))
    at += sizes & 255
  }
}

function fillHashes(params: usize): void {
  const hashes: usize = load<u32>(params, HASHES)
  const hashMask = load<u32>(params, HASH_MASK)
  const lineCount = load<i32>(params, LINE_COUNT)
  const table: usize = load<u32>(params, TABLE)
  const map: usize = load<u32>(params, MAP)
  const starts: usize = load<u32>(params, STARTS)
  const prev: usize = load<u32>(params, PREV)
  memory.fill(hashes, 0, (<usize>hashMask + 1) << 2)
  for (let i = 0; i < lineCount; i++) {
    if (load<i32>(map + (<usize>i << 2)) == MAP_DUPLICATE) continue
    const keyLength = <i32>(load<u32>(table + (<usize>i << 3), 4) >> 8)
    let slot = hashKey(prev + load<i32>(starts + (<usize>i << 2)), keyLength) & hashMask
    while (load<u32>(hashes + (<usize>slot << 2))) slot = (slot + 1) & hashMask
    store<u32>(hashes + (<usize>slot << 2), i + 1)
  }
}

/** See LockstepKernel.rematch. */
export function lockstepRematch(params: usize): i32 {
  const cur: usize = load<u32>(params, CUR)
  const n: i32 = load<i32>(params, CUR_LENGTH)
  const prev: usize = load<u32>(params, PREV)
  const table: usize = load<u32>(params, TABLE)
  const lineCount: i32 = load<i32>(params, LINE_COUNT)
  const map: usize = load<u32>(params, MAP)
  const entries: usize = load<u32>(params, ENTRIES)
  const events: usize = load<u32>(params, EVENTS)
  const newTable: usize = load<u32>(params, NEW_TABLE)
  const newMap: usize = load<u32>(params, NEW_MAP)
  const starts: usize = load<u32>(params, STARTS)
  const hashes: usize = load<u32>(params, HASHES)
  const hashMask = load<u32>(params, HASH_MASK)
  const matched: usize = load<u32>(params, MATCHED)
  const force = load<u32>(params, FORCE) != 0
  let hashed = false
  let irregular: u32 = 0
  let matchedCount: u32 = 0
  let p: i32 = 0
  let lastEnd: i32 = 0
  let guess: i32 = 0
  let k: i32 = 0
  entryCount = 0
  eventCount = 0
  lastPosition = -1
  ordered = 1
  memory.fill(matched, 0, lineCount)
  fillStarts(table, lineCount, starts)
  while (p < n) {
    let c: u32 = load<u8>(cur + p)
    if (isEnd(c)) {
      p++
      continue
    }
    const lineStart = p
    if (c == 35) {
      while (load<u8>(cur + p) != 10) p++
      writeEvent(events, EVENT_COMMENT, 0, lineStart, p)
      p++
      continue
    }
    // Most lines follow the line they followed last time: then nothing needs to be taken apart.
    let old: i32 = -1
    let start: i32 = 0
    if (guess < lineCount && !load<u8>(matched + guess) && load<i32>(map + (<usize>guess << 2)) != MAP_DUPLICATE) {
      const keyLength = <i32>(load<u32>(table + (<usize>guess << 3), 4) >> 8)
      start = p + keyLength
      if (start < n && firstDiff(cur + p, prev + load<i32>(starts + (<usize>guess << 2)), keyLength) == keyLength) {
        c = load<u8>(cur + start)
        if (!isEnd(c) && c != 123) old = guess
      }
    }
    if (old < 0) {
      start = skipKey(cur, p)
      if (start < 0) return -1
      if (lineCount > 0) {
        if (!hashed) {
          fillHashes(params)
          hashed = true
        }
        const keyLength = start - p
        let slot = hashKey(cur + p, keyLength) & hashMask
        for (;;) {
          const line = load<i32>(hashes + (<usize>slot << 2)) - 1
          if (line < 0) break
          if (
            !load<u8>(matched + line) &&
            <i32>(load<u32>(table + (<usize>line << 3), 4) >> 8) == keyLength &&
            firstDiff(cur + p, prev + load<i32>(starts + (<usize>line << 2)), keyLength) == keyLength
          ) {
            old = line
            break
          }
          slot = (slot + 1) & hashMask
        }
      }
    }
    let end = start
    while (!isEnd(load<u8>(cur + end))) end++
    const length = end - start
    const keyLength = start - lineStart
    if (length > VALUE_LENGTH_MAX || keyLength > KEY_LENGTH_MAX) irregular = 1
    p = end
    while (load<u8>(cur + p) != 10) p++
    const row = newTable + (<usize>k << 3)
    store<u32>(row, start - lastEnd)
    store<u32>(row, (<u32>keyLength << 8) | <u32>(min<i32>(length, VALUE_LENGTH_MAX)), 4)
    if (old < 0) {
      store<i32>(newMap + (<usize>k << 2), MAP_FRESH)
      writeEvent(events, EVENT_FRESH, k, lineStart, p)
    } else {
      const position = load<i32>(map + (<usize>old << 2))
      store<i32>(newMap + (<usize>k << 2), position)
      store<u8>(matched + old, 1)
      matchedCount++
      guess = old + 1
      if (p > end || position <= MAP_EXTERNAL_LAST) {
        writeEvent(events, EVENT_SUFFIX, k, lineStart, p)
      } else {
        const oldLength = load<i32>(table + (<usize>old << 3), 4) & 255
        const oldValue = prev + load<i32>(starts + (<usize>old << 2)) + keyLength
        const same = length == oldLength && firstDiff(cur + start, oldValue, length) == length
        if (!same || force) emitValue(entries, events, cur, start, end, position)
      }
    }
    lastEnd = end
    k++
    p++
  }
  store<u32>(params, entryCount, ENTRY_COUNT)
  store<u32>(params, eventCount, EVENT_COUNT)
  store<u32>(params, ordered, ORDERED)
  store<u32>(params, irregular, IRREGULAR)
  store<u32>(params, matchedCount, MATCHED_COUNT)
  return k
}

/** See LockstepKernel.order. */
export function lockstepOrder(entries: usize, count: i32, slots: usize, positionCount: i32, out: usize): i32 {
  const start = out
  memory.fill(slots, 0, <usize>positionCount << 2)
  for (let i = 0; i < count; i++) {
    const position = load<u32>(entries + (<usize>i << 4))
    store<u32>(slots + (<usize>position << 2), i + 1)
  }
  for (let position = 0; position < positionCount; position++) {
    const index = load<u32>(slots + (<usize>position << 2))
    if (index == 0) continue
    v128.store(out, v128.load(entries + (<usize>(index - 1) << 4)))
    out += 16
  }
  return <i32>((out - start) >> 4)
}

/** See LockstepKernel.copy. */
export function lockstepCopy(to: usize, from: usize, length: i32): void {
  memory.copy(to, from, length)
}

/** See LockstepKernel.countLines. */
export function lockstepCountLines(at: usize, length: i32): i32 {
  const newline = i8x16.splat(10)
  let count: i32 = 0
  let i: i32 = 0
  for (; i + 16 <= length; i += 16) count += popcnt<i32>(i8x16.bitmask(i8x16.eq(v128.load(at + i), newline)))
  for (; i < length; i++) count += <i32>(load<u8>(at + i) == 10)
  return count
}
