import { MalformedBytesError } from '../bytes.ts'
import { BitReader, BitWriter } from './bits.ts'
import { readSigned } from './varbit.ts'
import { XorValue } from './xor-value.ts'

// Format: docs/formats/prometheus-block.md.
const WIDTHS = [14, 17, 20] as const

/** Samples with their values as pairs of words: low, high. */
export interface FloatSamples {
  readonly timestampsMs: ArrayLike<number>
  readonly words: ArrayLike<number>
}

/** Packs the samples from one index to another, at least one, at most 65,535. */
export function encodeXorChunk({ timestampsMs, words }: FloatSamples, from: number, to: number): Uint8Array {
  const out = new BitWriter()
  const value = new XorValue()
  out.bits(to - from, 16)
  let delta = 0
  for (let i = from; i < to; i++) {
    const low = words[2 * i]!
    const high = words[2 * i + 1]!
    const time = timestampsMs[i]!
    if (i === from) {
      writeUvarint(out, time < 0 ? -2 * time - 1 : 2 * time)
      value.writeFirst(out, high, low)
      continue
    }
    const before = delta
    delta = time - timestampsMs[i - 1]!
    if (i === from + 1) writeUvarint(out, delta)
    else writeDifference(out, delta - before)
    value.write(out, high, low)
  }
  return out.bytes()
}

/**
 * Hands every sample of a chunk to `onSample`.
 *
 * @throws {MalformedBytesError}
 */
export function decodeXorChunk(
  bytes: Uint8Array,
  onSample: (timestampMs: number, low: number, high: number) => void,
): void {
  const input = new BitReader(bytes, 0)
  const count = input.bits(16)
  const value = new XorValue()
  let time = 0
  let delta = 0
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      const word = readUvarint(input)
      time = word % 2 === 0 ? word / 2 : -(word + 1) / 2
      value.readFirst(input)
    } else {
      delta = i === 1 ? readUvarint(input) : delta + readDifference(input)
      time += delta
      value.read(input)
    }
    if (!Number.isSafeInteger(time)) throw new MalformedBytesError('a time exceeds 2^53')
    onSample(time, value.low, value.high)
  }
}

function writeDifference(out: BitWriter, value: number): void {
  if (value === 0) return out.bits(0, 1)
  const step = WIDTHS.findIndex((width) => value > -(2 ** (width - 1)) && value <= 2 ** (width - 1))
  if (step >= 0) {
    out.bits(2 ** (step + 2) - 2, step + 2)
    out.bits(value, WIDTHS[step]!)
    return
  }
  out.bits(0b1111, 4)
  const high = Math.floor(value / 2 ** 32)
  out.wide(high >>> 0, (value - high * 2 ** 32) >>> 0, 64)
}

function readDifference(input: BitReader): number {
  let ones = 0
  while (ones < 4 && input.bit() === 1) ones++
  if (ones === 0) return 0
  return readSigned(input, WIDTHS[ones - 1] ?? 64)
}

function writeUvarint(out: BitWriter, value: number): void {
  let rest = value
  while (rest >= 128) {
    out.bits((rest % 128) + 128, 8)
    rest = Math.floor(rest / 128)
  }
  out.bits(rest, 8)
}

function readUvarint(input: BitReader): number {
  let value = 0
  for (let factor = 1; factor <= 2 ** 63; factor *= 128) {
    const byte = input.bits(8)
    value += (byte & 127) * factor
    if (byte < 128) return value
  }
  throw new MalformedBytesError('a number has too many bytes')
}
