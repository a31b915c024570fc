// Row records: what changed in a group from one timestamp to the next, written and read back. Format: docs/formats/row-record.md.
// Twin: ../row-twin.ts. Covered by bench/micro/row.bench.ts.
import {
  ABSENT,
  canRescale,
  cursor,
  DECIMAL,
  RAW,
  readVarint,
  rescale,
  STALE,
  unzigzag,
  varintBytes,
  writeVarint,
  zigzag,
} from './row-bytes'
import { chooseSet, KEY, nextPosition, openSet, SPARSE, writeSet } from './row-set'

// In a kind column: the position has not been written since the key row, so deltas start from 0 at exponent 0.
const NO_BASE: i32 = 0x80

let baseMantissa: i64 = 0
let baseExponent: i32 = 0

// @ts-ignore: decorator
@inline
function loadBase(m: usize, e: usize, kind: i32, position: u32): void {
  if (kind == DECIMAL || kind == STALE) {
    baseMantissa = load<i64>(m + (<usize>position << 3))
    baseExponent = load<i8>(e + position)
  } else {
    baseMantissa = 0
    baseExponent = 0
  }
}

/** Writes one decimal against the base in the globals and stores it as the new state. */
function writeDecimal(out: usize, m: usize, e: usize, position: u32, mantissa: i64, exponent: i32): usize {
  let delta: i64 = 0
  let scaled = mantissa
  let deltaFits = exponent == baseExponent
  if (!deltaFits && baseExponent > exponent && canRescale(mantissa, baseExponent - exponent)) {
    scaled = rescale(mantissa, baseExponent - exponent)
    deltaFits = true
  }
  if (deltaFits) {
    delta = scaled - baseMantissa
    deltaFits = varintBytes(zigzag(delta) + 1) <= 3 + varintBytes(zigzag(mantissa))
  }
  if (deltaFits) {
    store<i64>(m + (<usize>position << 3), scaled)
    store<i8>(e + position, <i8>baseExponent)
    return writeVarint(out, zigzag(delta) + 1)
  }
  store<i64>(m + (<usize>position << 3), mantissa)
  store<i8>(e + position, <i8>exponent)
  store<u8>(out, 0)
  store<u8>(out, <u8>DECIMAL, 1)
  store<i8>(out, <i8>exponent, 2)
  return writeVarint(out + 3, zigzag(mantissa))
}

/** Whether a carried-over position already holds what the entry says. */
function isUnchanged(entry: usize, kind: i32, m: usize, e: usize, position: u32): bool {
  const newKind: i32 = load<u8>(entry, 4)
  if (newKind != kind) return false
  if (kind == ABSENT || kind == STALE) return true
  const payload = load<i64>(entry, 8)
  const old = load<i64>(m + (<usize>position << 3))
  if (kind == RAW) return payload == old
  const by = <i32>load<i8>(e + position) - <i32>load<i8>(entry, 5)
  return by >= 0 && canRescale(payload, by) && rescale(payload, by) == old
}

/**
 * Encodes one row at `out` and brings the state columns m (i64), e (i8), k (u8) up to it.
 * `work`: at least 8 + 4 * max(entryCount, positionCount) bytes; its first i32 receives by how much the number of present
 * positions changed. `lastTs`: per position newest time (f64), kept for sparse rows; 0 = none.
 * @returns bytes written, or -1 when an entry is out of order or out of bounds (then nothing was changed)
 */
export function rowEncode(
  out: usize,
  entries: usize,
  entryCount: i32,
  m: usize,
  e: usize,
  k: usize,
  positionCount: u32,
  flags: i32,
  timestamp: f64,
  previousTimestamp: f64,
  lastTs: usize,
  work: usize,
): i32 {
  const list = work + 8
  const isKey = (flags & KEY) != 0
  const isSparse = (flags & SPARSE) != 0
  let next: u32 = 0
  for (let i = 0; i < entryCount; i++) {
    const position = load<u32>(entries + (<usize>i << 4))
    if (position < next || position >= positionCount) return -1
    next = position + 1
  }
  let presentChange = 0
  let count = 0
  const start = out
  let head = out + 1
  head = writeVarint(
    head,
    isKey ? zigzag(<i64>timestamp) : <u64>(<i64>timestamp - <i64>previousTimestamp),
  )

  if (isKey && !isSparse) {
    // State first, then every present position absolute.
    for (let i = 0; i < entryCount; i++) {
      const entry = entries + (<usize>i << 4)
      const position = load<u32>(entry)
      const old: i32 = load<u8>(k + position) & 3
      const kind: i32 = load<u8>(entry, 4)
      presentChange += i32(kind != ABSENT) - i32(old != ABSENT)
      if (kind == DECIMAL || kind == RAW) {
        store<i64>(m + (<usize>position << 3), load<i64>(entry, 8))
        store<i8>(e + position, kind == DECIMAL ? load<i8>(entry, 5) : 0)
      } else if (kind == ABSENT && old != ABSENT) {
        store<i64>(m + (<usize>position << 3), <i64>previousTimestamp)
      }
      store<u8>(k + position, <u8>kind)
    }
    for (let position: u32 = 0; position < positionCount; position++) {
      if (load<u8>(k + position)) {
        store<u32>(list + (<usize>count << 2), position)
        count++
      }
    }
    const set = chooseSet(list, count)
    head = writeSet(head, list, count, set)
    store<u8>(start, <u8>(flags | set))
    for (let i = 0; i < count; i++) {
      const position = load<u32>(list + (<usize>i << 2))
      const kind: i32 = load<u8>(k + position)
      const at = m + (<usize>position << 3)
      if (kind == DECIMAL) {
        baseMantissa = 0
        baseExponent = 0
        head = writeDecimal(head, m, e, position, load<i64>(at), load<i8>(e + position))
      } else {
        store<u8>(head, 0)
        store<u8>(head, <u8>kind, 1)
        head += 2
        if (kind == RAW) {
          store<i64>(head, load<i64>(at))
          head += 8
        } else {
          store<i64>(at, 0)
          store<i8>(e + position, 0)
        }
      }
    }
    store<i32>(work, presentChange)
    return <i32>(head - start)
  }

  if (isKey) {
    for (let position: u32 = 0; position < positionCount; position++) {
      store<u8>(k + position, <u8>(load<u8>(k + position) | NO_BASE))
    }
  }
  for (let i = 0; i < entryCount; i++) {
    const entry = entries + (<usize>i << 4)
    const position = load<u32>(entry)
    if (isSparse || !isUnchanged(entry, <i32>load<u8>(k + position), m, e, position)) {
      store<u32>(list + (<usize>count << 2), position)
      count++
    }
  }
  const set = chooseSet(list, count)
  head = writeSet(head, list, count, set)
  store<u8>(start, <u8>(flags | set))
  let entry = entries
  for (let i = 0; i < count; i++) {
    const position = load<u32>(list + (<usize>i << 2))
    while (load<u32>(entry) != position) entry += 16
    const old: i32 = load<u8>(k + position)
    const kind: i32 = load<u8>(entry, 4)
    presentChange += i32(kind != ABSENT) - i32((old & 3) != ABSENT)
    const at = m + (<usize>position << 3)
    if (kind == DECIMAL) {
      loadBase(m, e, old, position)
      head = writeDecimal(head, m, e, position, load<i64>(entry, 8), load<i8>(entry, 5))
    } else {
      store<u8>(head, 0)
      store<u8>(head, <u8>kind, 1)
      head += 2
      if (kind == RAW) {
        store<i64>(head, load<i64>(entry, 8))
        store<i64>(at, load<i64>(entry, 8))
        store<i8>(e + position, 0)
        head += 8
      } else if (kind == ABSENT) {
        store<i64>(at, <i64>previousTimestamp)
        store<i8>(e + position, 0)
      } else if (old != DECIMAL && old != STALE) {
        store<i64>(at, 0)
        store<i8>(e + position, 0)
      }
    }
    store<u8>(k + position, <u8>kind)
    if (lastTs) store<f64>(lastTs + (<usize>position << 3), timestamp)
  }
  store<i32>(work, presentChange)
  return <i32>(head - start)
}

/**
 * Brings the state columns up to a row that was read back. Arguments as of `rowEncode`; `timestamp` is the row's time.
 * @returns bytes read, or -1 when the row is malformed (the state is then undefined)
 */
export function rowApply(
  p: usize,
  end: usize,
  m: usize,
  e: usize,
  k: usize,
  positionCount: u32,
  timestamp: f64,
  previousTimestamp: f64,
  lastTs: usize,
  work: usize,
): i32 {
  const start = p
  if (p >= end) return -1
  const flags: i32 = load<u8>(p)
  let presentChange = 0
  readVarint(p + 1)
  p = openSet(cursor, end, flags & 3)
  if (p == 0) return -1
  if (flags & KEY) {
    for (let position: u32 = 0; position < positionCount; position++) {
      const old: i32 = load<u8>(k + position)
      if (flags & SPARSE) {
        store<u8>(k + position, <u8>(old | NO_BASE))
      } else if (old) {
        store<u8>(k + position, 0)
        store<i64>(m + (<usize>position << 3), <i64>previousTimestamp)
        store<i8>(e + position, 0)
        presentChange--
      }
    }
  }
  for (;;) {
    const position = nextPosition()
    if (position < 0) break
    if (<u32>position >= positionCount || p >= end) return -1
    const old: i32 = load<u8>(k + position)
    const at = m + (<usize>position << 3)
    const value = readVarint(p)
    p = cursor
    let kind = DECIMAL
    if (value) {
      loadBase(m, e, old, position)
      store<i64>(at, baseMantissa + unzigzag(value - 1))
      store<i8>(e + position, <i8>baseExponent)
    } else {
      kind = load<u8>(p++)
      if (kind == DECIMAL) {
        const exponent: i32 = load<i8>(p)
        const mantissa = unzigzag(readVarint(p + 1))
        p = cursor
        store<i64>(at, mantissa)
        store<i8>(e + position, <i8>exponent)
      } else if (kind == RAW) {
        store<i64>(at, load<i64>(p))
        store<i8>(e + position, 0)
        p += 8
      } else if (kind == ABSENT) {
        store<i64>(at, <i64>previousTimestamp)
        store<i8>(e + position, 0)
      } else if (kind == STALE) {
        if (old != DECIMAL && old != STALE) {
          store<i64>(at, 0)
          store<i8>(e + position, 0)
        }
      } else return -1
    }
    presentChange += i32(kind != ABSENT) - i32((old & 3) != ABSENT)
    store<u8>(k + position, <u8>kind)
    if (lastTs) store<f64>(lastTs + (<usize>position << 3), timestamp)
  }
  if (p > end) return -1
  store<i32>(work, presentChange)
  return <i32>(p - start)
}
