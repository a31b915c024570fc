// Scrape pages whose lines are not those of the page before: each is looked for by its key. See kernels/lockstep.ts.
// Covered by bench/micro/lockstep.bench.ts. Twin: kernels/lockstep-twin.ts.

import {
  emitValue, EVENT_COMMENT, EVENT_FRESH, EVENT_SUFFIX, startOutput, storeOutput, writeEvent,
} from './lockstep-output'
import {
  CUR, CUR_LENGTH, ENTRIES, EVENTS, FORCE, HASH_MASK, HASHES, IRREGULAR, LINE_COUNT, MAP, MATCHED, MATCHED_COUNT,
  NEW_MAP, NEW_TABLE, PREV, STARTS, TABLE, VALUE_LENGTH_MAX,
} from './lockstep-params'
import { firstDiff, isBlank, isEnd } from './lockstep-scan'

const MAP_DUPLICATE: i32 = -2
const MAP_FRESH: i32 = -3
const MAP_EXTERNAL_LAST: i32 = -16
const KEY_LENGTH_MAX: i32 = 0xffffff

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
  startOutput()
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
  storeOutput(params)
  store<u32>(params, irregular, IRREGULAR)
  store<u32>(params, matchedCount, MATCHED_COUNT)
  return k
}
