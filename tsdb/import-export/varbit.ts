import { MalformedBytesError } from '../bytes.ts'
import type { BitReader, BitWriter } from './bits.ts'

// Widths of whole numbers; the number of ones in front says which.
const WIDTHS = [3, 6, 9, 12, 18, 25, 56, 64] as const

/** A whole number, |value| ≤ 2^53: few bits for one near zero. */
export function writeVarbitInt(out: BitWriter, value: number): void {
  if (value === 0) return out.bits(0, 1)
  const step = WIDTHS.findIndex((width) => value > -(2 ** (width - 1)) && value <= 2 ** (width - 1))
  writeStep(out, step, value)
}

/** A whole number from 0 to 2^53. */
export function writeVarbitUint(out: BitWriter, value: number): void {
  if (value === 0) return out.bits(0, 1)
  writeStep(
    out,
    WIDTHS.findIndex((width) => value < 2 ** width),
    value,
  )
}

function writeStep(out: BitWriter, step: number, value: number): void {
  if (step < WIDTHS.length - 1) out.bits(2 ** (step + 2) - 2, step + 2)
  else out.bits(0xff, 8)
  out.wide(Math.floor(value / 2 ** 32) >>> 0, (value - Math.floor(value / 2 ** 32) * 2 ** 32) >>> 0, WIDTHS[step]!)
}

/** @throws {MalformedBytesError} for one that a JavaScript number cannot hold */
export function readVarbitInt(input: BitReader): number {
  const step = readStep(input)
  return step < 0 ? 0 : readSigned(input, WIDTHS[step]!)
}

/** @throws {MalformedBytesError} for one that a JavaScript number cannot hold */
export function readVarbitUint(input: BitReader): number {
  const step = readStep(input)
  if (step < 0) return 0
  const low = input.wide(WIDTHS[step]!)
  return checked(input.high * 2 ** 32 + low)
}

/** A number of `width` bits of which one more is positive than negative. */
export function readSigned(input: BitReader, width: number): number {
  const low = input.wide(width)
  if (width === 64) return checked((input.high | 0) * 2 ** 32 + low)
  if (width <= 32) return low > 2 ** (width - 1) ? low - 2 ** width : low
  // By halves: the whole would not fit into a number before the sign is known.
  const { high } = input
  const half = 2 ** (width - 33)
  return checked((high > half || (high === half && low > 0) ? high - 2 * half : high) * 2 ** 32 + low)
}

function readStep(input: BitReader): number {
  let ones = 0
  while (ones < WIDTHS.length && input.bit() === 1) ones++
  return ones - 1
}

function checked(value: number): number {
  if (!Number.isSafeInteger(value)) throw new MalformedBytesError('a whole number exceeds 2^53')
  return value
}
