// Scrape pages compared with the page before: see kernels/lockstep.ts for the picture, the parameter block and the rules.
// Covered by bench/micro/lockstep.bench.ts. Twin: kernels/lockstep-twin.ts.

import { emitValue, startOutput, storeOutput } from './lockstep-output'
import {
  COMPLETE, CUR, CUR_LENGTH, ENTRIES, EVENTS, LENGTH_COUNT, LENGTHS, LINE_COUNT, MAP, PREV, PREV_LENGTH, TABLE,
  VALUE_LENGTH_MAX,
} from './lockstep-params'
import { commonLength, tokenEnd } from './lockstep-scan'

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
  startOutput()
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
  storeOutput(params)
  store<u32>(params, lengthCount, LENGTH_COUNT)
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
