// The flags of a row record and its set of positions, written and read. Format: docs/formats/row-record.md.
import { cursor, readVarint, varintBytes, writeVarint } from './row-bytes'

// Low bits of the first byte: how the set of positions is written.
const SET_NONE: i32 = 0
export const SET_DENSE: i32 = 1
const SET_LIST: i32 = 2
export const SPARSE: i32 = 4
export const KEY: i32 = 8

/** The shorter way to write the set of the `count` ascending positions (u32) at `list`. */
export function chooseSet(list: usize, count: i32): i32 {
  if (count == 0) return SET_NONE
  const bitmapBytes = <i32>(load<u32>(list + (<usize>(count - 1) << 2)) >> 3) + 1
  const denseBytes = bitmapBytes + varintBytes(bitmapBytes)
  let listBytes = varintBytes(count)
  let next: u32 = 0
  for (let i = 0; i < count && listBytes < denseBytes; i++) {
    const position = load<u32>(list + (<usize>i << 2))
    listBytes += varintBytes(position - next)
    next = position + 1
  }
  return listBytes < denseBytes ? SET_LIST : SET_DENSE
}

export function writeSet(out: usize, list: usize, count: i32, set: i32): usize {
  if (set == SET_NONE) return out
  if (set == SET_LIST) {
    out = writeVarint(out, count)
    let next: u32 = 0
    for (let i = 0; i < count; i++) {
      const position = load<u32>(list + (<usize>i << 2))
      out = writeVarint(out, position - next)
      next = position + 1
    }
    return out
  }
  const bytes = <usize>(load<u32>(list + (<usize>(count - 1) << 2)) >> 3) + 1
  out = writeVarint(out, bytes)
  memory.fill(out, 0, bytes)
  for (let i = 0; i < count; i++) {
    const position = load<u32>(list + (<usize>i << 2))
    const at = out + (position >> 3)
    store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(position & 7)))
  }
  return out + bytes
}

// Reading the set of positions of a row, dense or list, one `nextPosition` after the other.
export let setKind: i32 = 0
export let setAt: usize = 0
export let setEnd: usize = 0
let setBits: u32 = 0
let setNext: u32 = 0
let setLeft: i32 = 0

/** Opens the set at p; returns where the values start, or 0 when it does not fit before `end`. */
export function openSet(p: usize, end: usize, set: i32): usize {
  setKind = set
  setLeft = 0
  setNext = 0
  setBits = 0
  setAt = p
  setEnd = p
  if (set == SET_NONE) return p
  const size = readVarint(p)
  p = cursor
  if (p > end || size > <u64>(end - p)) return 0
  setAt = p
  if (set == SET_DENSE) {
    setEnd = p + <usize>size
    setNext = <u32>-8
    return setEnd
  }
  if (set != SET_LIST) return 0
  setLeft = <i32>size
  for (let i: u64 = 0; i < size; i++) {
    readVarint(p)
    p = cursor
    if (p > end) return 0
  }
  setEnd = p
  return p
}

/** The next position of the open set, or -1 behind the last. */
// @ts-ignore: decorator
@inline
export function nextPosition(): i32 {
  if (setKind == SET_DENSE) {
    while (setBits == 0) {
      if (setAt >= setEnd) return -1
      setBits = load<u8>(setAt++)
      setNext += 8
    }
    const bit = ctz<u32>(setBits)
    setBits &= setBits - 1
    return <i32>(setNext + bit)
  }
  if (setLeft == 0) return -1
  setLeft--
  const gap = readVarint(setAt)
  setAt = cursor
  const position = setNext + <u32>gap
  setNext = position + 1
  return <i32>position
}
