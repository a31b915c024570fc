import { SampleKind } from '../../model/index.ts'

const MANTISSA_MAX = 2 ** 53
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
// Sums and clock readings have 16–17 digits: beyond this exponent a decimal is not shorter than the float64 itself.
const EXPONENT_MAX = 15

/** Writes the 16-byte row entry of a float64: as a decimal where there is an exact one, else its bits. */
export function writeEntry(view: DataView, at: number, position: number, value: number): void {
  view.setUint32(at, position, true)
  view.setUint16(at + 6, 0, true)
  const isNegativeZero = value === 0 && 1 / value < 0
  if (Number.isFinite(value) && !isNegativeZero) {
    for (let e = 0; e <= EXPONENT_MAX; e++) {
      const mantissa = Math.round(value * POWERS[e]!)
      if (Math.abs(mantissa) > MANTISSA_MAX) break
      if (mantissa / POWERS[e]! === value) {
        putDecimal(view, at, mantissa, e)
        return
      }
    }
    for (let e = 1; Math.abs(value) > MANTISSA_MAX && e <= 22; e++) {
      const mantissa = Math.round(value / POWERS[e]!)
      if (Math.abs(mantissa) <= MANTISSA_MAX && mantissa * POWERS[e]! === value) {
        putDecimal(view, at, mantissa, -e)
        return
      }
    }
  }
  view.setUint8(at + 4, SampleKind.RAW)
  view.setInt8(at + 5, 0)
  view.setFloat64(at + 8, value, true)
}

/** The entry of a staleness marker. */
export function writeStaleEntry(view: DataView, at: number, position: number): void {
  view.setUint32(at, position, true)
  view.setUint32(at + 4, SampleKind.STALE, true)
  view.setFloat64(at + 8, 0, true)
}

function putDecimal(view: DataView, at: number, mantissa: number, exponent: number): void {
  view.setUint8(at + 4, SampleKind.DECIMAL)
  view.setInt8(at + 5, exponent)
  view.setUint32(at + 8, mantissa >>> 0, true)
  view.setInt32(at + 12, Math.floor(mantissa / 2 ** 32), true)
}
