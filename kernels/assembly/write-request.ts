// The series of a `prometheus.WriteRequest` found and hashed: see kernels/write-request.ts for the row and the rules.
// Covered by bench/load/remote-write.ts. Twin: kernels/write-request-twin.ts.

const LABEL: u32 = 10
const SERIES: u32 = 10
const SAMPLE: u32 = 18
const VALUE: u32 = 9
const TIMESTAMP: u32 = 16

const ROW_BYTES: usize = 32
const LABEL_BYTES_MAX: usize = 2048
// Multipliers lie behind the keys of the label bytes.
const FINAL_KEYS: usize = LABEL_BYTES_MAX + 48
const TIME_BYTES_MAX: usize = 7

/** The bytes before `count` are kept, the others cleared. */
@inline function firstBytes(block: v128, count: i32): v128 {
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  return v128.and(block, i8x16.lt_s(lanes, i8x16.splat(<i8>count)))
}

@inline function product(a: v128, b: v128, keys: usize): v128 {
  const x = i32x4.add(a, v128.load(keys))
  const y = i32x4.add(b, v128.load(keys, 16))
  return i64x2.add(i64x2.extmul_low_i32x4_u(x, y), i64x2.extmul_high_i32x4_u(x, y))
}

@inline function laneSum(v: v128): u64 {
  return i64x2.extract_lane(v, 0) + i64x2.extract_lane(v, 1)
}

/** Sums of products of keyed words (universal whatever the bytes are), brought down to 96 bits. */
@inline function hashInto(row: usize, start: usize, length: usize, keys: usize): void {
  let first = i64x2.splat(0)
  let second = i64x2.splat(0)
  let at: usize = 0
  for (; at + 32 <= length; at += 32) {
    const a = v128.load(start + at)
    const b = v128.load(start + at, 16)
    first = i64x2.add(first, product(a, b, keys + at))
    second = i64x2.add(second, product(a, b, keys + at + 16))
  }
  if (at < length) {
    const rest = <i32>(length - at)
    const a = firstBytes(v128.load(start + at), min(rest, 16))
    const b = firstBytes(v128.load(start + at, 16), max(rest - 16, 0))
    first = i64x2.add(first, product(a, b, keys + at))
    second = i64x2.add(second, product(a, b, keys + at + 16))
  }
  const x = laneSum(first)
  const y = laneSum(second)
  const z = <u64>length
  const finals = keys + FINAL_KEYS
  store<u32>(row, <u32>((x * load<u64>(finals) + y * load<u64>(finals, 8) + z * load<u64>(finals, 16)) >> 32))
  store<u32>(row, <u32>((x * load<u64>(finals, 24) + y * load<u64>(finals, 32) + z * load<u64>(finals, 40)) >> 32), 4)
  store<u32>(row, <u32>((x * load<u64>(finals, 48) + y * load<u64>(finals, 56) + z * load<u64>(finals, 64)) >> 32), 8)
}

/**
 * Finds plain series from `at` on, until something else comes or `rowsMax` are found.
 *
 * @param message start of the message; behind its end are 64 readable bytes
 * @returns how many rows were written
 */
export function writeRequestScan(
  message: usize,
  at: usize,
  end: usize,
  rows: usize,
  times: usize,
  rowsMax: i32,
  keys: usize,
): i32 {
  let found: i32 = 0
  let field = at
  while (field < end && found < rowsMax) {
    if (load<u8>(field) != SERIES) break
    let length: usize = load<u8>(field, 1)
    let start = field + 2
    if (length >= 0x80) {
      const high: usize = load<u8>(field, 2)
      if (high >= 0x80) break
      length = (length & 0x7f) | (high << 7)
      start++
    }
    const stop = start + length
    if (stop > end) break
    let p = start
    while (p < stop && load<u8>(p) == LABEL) {
      const size: usize = load<u8>(p, 1)
      if (size < 0x80) p += 2 + size
      else {
        const high: usize = load<u8>(p, 2)
        if (high >= 0x80) break
        p += 3 + ((size & 0x7f) | (high << 7))
      }
    }
    if (p + 2 > stop || load<u8>(p) != SAMPLE || p - start > LABEL_BYTES_MAX) break
    if (load<u8>(p, 1) != stop - p - 2) break
    let q = p + 2
    let valueAt: i32 = -1
    if (load<u8>(q) == VALUE) {
      valueAt = <i32>(q + 1 - message)
      q += 9
    }
    if (q + 1 >= stop || load<u8>(q) != TIMESTAMP) break
    const timeBytes = stop - q - 1
    if (timeBytes > TIME_BYTES_MAX || load<u8>(stop - 1) >= 0x80) break
    let time: u64 = 0
    let isPlain = true
    for (let i: usize = 0; i < timeBytes; i++) {
      const byte: u32 = load<u8>(q + 1 + i)
      if (byte < 0x80 && i + 1 < timeBytes) isPlain = false
      time |= <u64>(byte & 0x7f) << <u64>(7 * i)
    }
    if (!isPlain) break
    const row = rows + <usize>found * ROW_BYTES
    hashInto(row, start, p - start, keys)
    store<u32>(row, <u32>(start - message), 12)
    store<u32>(row, <u32>(p - message), 16)
    store<u32>(row, <u32>(stop - message), 20)
    store<i32>(row, valueAt, 24)
    store<f64>(times + (<usize>found << 3), <f64>time)
    found++
    field = stop
  }
  return found
}
