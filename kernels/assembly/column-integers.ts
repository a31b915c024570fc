// Sequences of integers in the smallest of five forms. Format: docs/formats/column.md. Twin: ../column-integers-twin.ts.
import { at64 } from './column-range'
import { addStream, NEVER, readStream, streamBytes, writeStream } from './column-stream'
import { cursor, readVarint, unzigzag, varintBytes, writeVarint, zigzag } from './row-bytes'

export const CONST: i32 = 1
export const LINEAR: i32 = 2
export const FOR: i32 = 3
export const DELTA: i32 = 4
export const DELTA2: i32 = 5

/** Form that `planIntegers` chose. */
export let plannedForm: i32 = 0

/**
 * Chooses the form of `count` > 0 values; returns the bytes they will take in it, `NEVER` when they fit none.
 * @param sequence room for as many
 * @param isThorough whether exceptions are weighed in each form
 */
export function planIntegers(values: usize, sequence: usize, count: i32, isThorough: bool): i32 {
  const first = load<i64>(values)
  const firstDelta = count > 1 ? load<i64>(at64(values, 1)) - first : 0
  const firstBytes = varintBytes(zigzag(first))
  const secondBytes = varintBytes(zigzag(firstDelta))
  let isLinear = true
  for (let i = 2; i < count && isLinear; i++) {
    isLinear = load<i64>(at64(values, i)) - load<i64>(at64(values, i - 1)) == firstDelta
  }
  if (isLinear) {
    plannedForm = firstDelta == 0 ? CONST : LINEAR
    return firstDelta == 0 ? firstBytes : firstBytes + secondBytes
  }
  plannedForm = FOR
  let best = streamBytes(sequence, fillSequence(values, sequence, count, FOR), isThorough)
  const deltaBytes = firstBytes + streamBytes(sequence, fillSequence(values, sequence, count, DELTA), isThorough)
  if (deltaBytes < best) {
    plannedForm = DELTA
    best = deltaBytes
  }
  const delta2Bytes =
    firstBytes + secondBytes + streamBytes(sequence, fillSequence(values, sequence, count, DELTA2), isThorough)
  if (delta2Bytes < best) {
    plannedForm = DELTA2
    best = delta2Bytes
  }
  return min(best, NEVER)
}

/** Writes values in a form that `planIntegers` chose for them. */
export function writeIntegers(out: usize, form: i32, values: usize, sequence: usize, count: i32): usize {
  const first = load<i64>(values)
  if (form != FOR) out = writeVarint(out, zigzag(first))
  if (form == LINEAR || form == DELTA2) out = writeVarint(out, zigzag(load<i64>(at64(values, 1)) - first))
  if (form < FOR) return out
  return writeStream(out, sequence, fillSequence(values, sequence, count, form), true)
}

/** Writes the differences the form needs to `sequence`; returns how many. */
function fillSequence(values: usize, sequence: usize, count: i32, form: i32): i32 {
  if (form == FOR) {
    memory.copy(sequence, values, <usize>count << 3)
    return count
  }
  differences(values, sequence, count - 1)
  if (form == DELTA) return count - 1
  differences(sequence, sequence, count - 2)
  return count - 2
}

/** The first `count` differences of neighbours; `out` may be `x` itself. */
function differences(x: usize, out: usize, count: i32): void {
  let i = 0
  for (; i + 1 < count; i += 2) {
    v128.store(at64(out, i), i64x2.sub(v128.load(at64(x, i), 8), v128.load(at64(x, i))))
  }
  if (i < count) store<i64>(at64(out, i), load<i64>(at64(x, i), 8) - load<i64>(at64(x, i)))
}

/** Reads `count` > 0 values; returns where they ended, 0 when they are malformed. */
export function readIntegers(p: usize, end: usize, form: i32, out: usize, count: i32): usize {
  if (form == FOR) return readStream(p, end, out, count)
  let value = unzigzag(readVarint(p))
  p = cursor
  if (form == CONST) {
    for (let i = 0; i < count; i++) store<i64>(at64(out, i), value)
    return p
  }
  if (form == DELTA) {
    store<i64>(out, value)
    p = readStream(p, end, out + 8, count - 1)
    for (let i = 1; i < count; i++) {
      value += load<i64>(at64(out, i))
      store<i64>(at64(out, i), value)
    }
    return p
  }
  let delta = unzigzag(readVarint(p))
  p = cursor
  store<i64>(out, value)
  if (count < 2) return p
  value += delta
  store<i64>(out + 8, value)
  if (form == LINEAR) {
    for (let i = 2; i < count; i++) {
      value += delta
      store<i64>(at64(out, i), value)
    }
    return p
  }
  p = readStream(p, end, out + 16, count - 2)
  for (let i = 2; i < count; i++) {
    delta += load<i64>(at64(out, i))
    value += delta
    store<i64>(at64(out, i), value)
  }
  return p
}

/** As `readIntegers`, but adds the values to what `x` holds. */
export function addIntegers(p: usize, end: usize, form: i32, x: usize, count: i32): usize {
  if (form == FOR) return addStream(p, end, x, count, 0, 0, 0)
  const first = unzigzag(readVarint(p))
  p = cursor
  if (form == CONST || form == DELTA) {
    const until = form == CONST ? count : 1
    for (let i = 0; i < until; i++) store<i64>(at64(x, i), load<i64>(at64(x, i)) + first)
    return form == CONST ? p : addStream(p, end, x + 8, count - 1, 1, first, 0)
  }
  const delta = unzigzag(readVarint(p))
  p = cursor
  const until = form == LINEAR ? count : min(count, 2)
  for (let i = 0; i < until; i++) store<i64>(at64(x, i), load<i64>(at64(x, i)) + first + delta * i)
  return form == LINEAR || count < 3 ? p : addStream(p, end, x + 16, count - 2, 2, first + delta, delta)
}
