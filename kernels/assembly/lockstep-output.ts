// What the lock-step kernels find in a page: row entries, and events where a text needs the slow path.

import { exponent, mantissa, parseDecimal } from './lockstep-number'
import { ENTRY_COUNT, EVENT_COUNT, ORDERED } from './lockstep-params'

export const EVENT_FRESH: u32 = 1
export const EVENT_SUFFIX: u32 = 2
const EVENT_SLOW: u32 = 3
export const EVENT_COMMENT: u32 = 4

const NO_ENTRY: u32 = 0xffffffff
const KIND_DECIMAL: u32 = 1
const KIND_RAW: u32 = 2

let entryCount: u32 = 0
let eventCount: u32 = 0
let lastPosition: i32 = -1
let ordered: u32 = 1

@inline export function startOutput(): void {
  entryCount = 0
  eventCount = 0
  lastPosition = -1
  ordered = 1
}

/** Tells how much there is. */
@inline export function storeOutput(params: usize): void {
  store<u32>(params, entryCount, ENTRY_COUNT)
  store<u32>(params, eventCount, EVENT_COUNT)
  store<u32>(params, ordered, ORDERED)
}

@inline export function writeEvent(events: usize, kind: u32, index: u32, start: u32, end: u32): void {
  const at = events + (<usize>eventCount << 4)
  eventCount++
  store<u32>(at, kind)
  store<u32>(at, index, 4)
  store<u32>(at, start, 8)
  store<u32>(at, end, 12)
}

/** Turns the changed value at cur+start..end into a row entry, or an event where the text needs the slow path. */
@inline export function emitValue(entries: usize, events: usize, cur: usize, start: i32, end: i32, position: i32): void {
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
