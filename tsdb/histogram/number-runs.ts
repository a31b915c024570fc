import { type ByteReader, type ByteWriter, MalformedBytesError } from '../bytes.ts'

// Format: docs/formats/histogram.md. Numbers that did not change take no room but their run.

/** Whole numbers below 2^51 as differences to `base`, which is as long. */
export function writeWholes(out: ByteWriter, numbers: Float64Array, base: Float64Array): void {
  for (let i = 0; i < numbers.length; ) {
    const difference = numbers[i]! - base[i]!
    if (difference === 0) {
      const run = runOf(numbers.length, i, (at) => numbers[at] === base[at])
      writeRun(out, run)
      i += run
      continue
    }
    out.varint(difference < 0 ? -2 * difference - 1 : 2 * difference)
    i++
  }
}

export function readWholes(reader: ByteReader, base: Float64Array): Float64Array {
  const numbers = Float64Array.from(base)
  for (let i = 0; i < numbers.length; ) {
    const word = reader.varint()
    if (word === 0) i += readRun(reader, numbers.length - i)
    else numbers[i++]! += word % 2 === 0 ? word / 2 : -(word + 1) / 2
  }
  return numbers
}

/** Float64 bits XORed with those of `base`: of each the bytes between leading and trailing zero bytes. */
export function writeFloats(out: ByteWriter, numbers: Float64Array, base: Float64Array): void {
  const bits = bytesOf(numbers)
  const before = bytesOf(base)
  const isSame = (at: number): boolean => {
    for (let b = 8 * at; b < 8 * at + 8; b++) if (bits[b] !== before[b]) return false
    return true
  }
  for (let i = 0; i < numbers.length; ) {
    if (isSame(i)) {
      const run = runOf(numbers.length, i, isSame)
      writeRun(out, run)
      i += run
      continue
    }
    let first = 8 * i
    let last = 8 * i + 7
    while (bits[first] === before[first]) first++
    while (bits[last] === before[last]) last--
    out.u8(((first - 8 * i) << 4) | (last - first + 1))
    for (let b = first; b <= last; b++) out.u8(bits[b]! ^ before[b]!)
    i++
  }
}

export function readFloats(reader: ByteReader, base: Float64Array): Float64Array {
  const numbers = new Float64Array(base.length)
  const bits = bytesOf(numbers)
  bits.set(bytesOf(base))
  for (let i = 0; i < numbers.length; ) {
    const place = reader.u8()
    if (place === 0) {
      i += readRun(reader, numbers.length - i)
      continue
    }
    const first = place >> 4
    const count = place & 15
    if (count === 0 || first + count > 8) throw new MalformedBytesError('a number has bytes where there are none')
    for (let b = 0; b < count; b++) bits[8 * i + first + b]! ^= reader.u8()
    i++
  }
  return numbers
}

const bytesOf = (numbers: Float64Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)

function runOf(length: number, from: number, isSame: (at: number) => boolean): number {
  let to = from + 1
  while (to < length && isSame(to)) to++
  return to - from
}

function writeRun(out: ByteWriter, run: number): void {
  out.u8(0)
  out.varint(run - 1)
}

function readRun(reader: ByteReader, left: number): number {
  const run = reader.varint() + 1
  if (run > left) throw new MalformedBytesError('a run of numbers is too long')
  return run
}
