// Hot: every sample of a batch passes here. Covered by bench/load/remote-write.ts.
import { SampleKind, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'

const MANTISSA_MAX = 2 ** 53
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
// Sums and clock readings have 16–17 digits: beyond this exponent a decimal is not shorter than the float64 itself.
const EXPONENT_MAX = 15

const number = new Float64Array(1)
const words = new Uint32Array(number.buffer)
// What `findDecimal` has found.
let mantissa = 0
let exponent = 0

/** Writes the 16-byte row entry of a float64: as a decimal where there is an exact one, else its bits. */
export function writeEntry(view: DataView, at: number, position: number, value: number): void {
  view.setUint32(at, position, true)
  view.setUint16(at + 6, 0, true)
  if (findDecimal(value)) {
    view.setUint8(at + 4, SampleKind.DECIMAL)
    view.setInt8(at + 5, exponent)
    view.setUint32(at + 8, mantissa >>> 0, true)
    view.setInt32(at + 12, Math.floor(mantissa / 2 ** 32), true)
  } else {
    view.setUint8(at + 4, SampleKind.RAW)
    view.setInt8(at + 5, 0)
    view.setFloat64(at + 8, value, true)
  }
}

/** The entry of a staleness marker. */
export function writeStaleEntry(view: DataView, at: number, position: number): void {
  view.setUint32(at, position, true)
  view.setUint32(at + 4, SampleKind.STALE, true)
  view.setFloat64(at + 8, 0, true)
}

/** As `writeEntry`, for the two halves of the float64, a staleness marker among them; `at` counts in words. */
export function writeBitsEntry(u32: Uint32Array, at: number, position: number, low: number, high: number): void {
  u32[at] = position
  words[0] = low
  words[1] = high
  const value = number[0]!
  const whole = value | 0
  if (whole === value && (whole !== 0 || high === 0)) {
    u32[at + 1] = SampleKind.DECIMAL
    u32[at + 2] = whole
    u32[at + 3] = whole >> 31
  } else if (findDecimal(value)) {
    u32[at + 1] = SampleKind.DECIMAL | ((exponent & 0xff) << 8)
    u32[at + 2] = mantissa
    u32[at + 3] = Math.floor(mantissa / 2 ** 32)
  } else {
    // As they came: a NaN's may change on their way through a number.
    const isStale = low === STALE_NAN_LOW && high === STALE_NAN_HIGH
    u32[at + 1] = isStale ? SampleKind.STALE : SampleKind.RAW
    u32[at + 2] = isStale ? 0 : low
    u32[at + 3] = isStale ? 0 : high
  }
}

function findDecimal(value: number): boolean {
  const isNegativeZero = value === 0 && 1 / value < 0
  if (!Number.isFinite(value) || isNegativeZero) return false
  for (let e = 0; e <= EXPONENT_MAX; e++) {
    mantissa = Math.round(value * POWERS[e]!)
    if (Math.abs(mantissa) > MANTISSA_MAX) break
    exponent = e
    if (mantissa / POWERS[e]! === value) return true
  }
  for (let e = 1; Math.abs(value) > MANTISSA_MAX && e <= 22; e++) {
    mantissa = Math.round(value / POWERS[e]!)
    exponent = -e
    if (Math.abs(mantissa) <= MANTISSA_MAX && mantissa * POWERS[e]! === value) return true
  }
  return false
}
