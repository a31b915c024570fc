import { AppError } from '../lib/errors.ts'

/** A payload ends early or holds a size that cannot be. The caller knows the file and turns it into a `CorruptionError`. */
export class MalformedBytesError extends AppError {
  override readonly code = 'ERR_TSDB_MALFORMED'
}

/** Appends little-endian numbers, varints and strings to a buffer that grows. */
export class ByteWriter {
  #bytes: Buffer
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** Starts over in the same buffer. */
  clear(): void {
    this.#length = 0
  }

  /** What was written; valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length)
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  string(text: string): void {
    const size = Buffer.byteLength(text)
    this.varint(size)
    this.#reserve(size)
    this.#length += this.#bytes.write(text, this.#length)
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

/** Reads what `ByteWriter` wrote. @throws {MalformedBytesError} at the end of the bytes */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    this.#need(1)
    return this.#bytes[this.#at++]!
  }

  u32(): number {
    this.#need(4)
    this.#at += 4
    return this.#bytes.readUInt32LE(this.#at - 4)
  }

  f64(): number {
    this.#need(8)
    this.#at += 8
    return this.#bytes.readDoubleLE(this.#at - 8)
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.u8()
      value += (byte & 127) * factor
      if (byte < 128) break
      factor *= 128
    }
    if (!Number.isSafeInteger(value)) throw new MalformedBytesError('a number is too large')
    return value
  }

  /** A count of items that take at least `itemBytesMin` each, so that a wild one cannot reserve memory. */
  count(itemBytesMin = 1): number {
    const value = this.varint()
    if (value * itemBytesMin > this.left) throw new MalformedBytesError('a count exceeds the bytes that are left')
    return value
  }

  string(): string {
    const size = this.count()
    this.#at += size
    return this.#bytes.toString('utf8', this.#at - size, this.#at)
  }

  take(size: number): Uint8Array {
    this.#need(size)
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  #need(size: number): void {
    if (this.left < size) throw new MalformedBytesError('the bytes end early')
  }
}

export function writeLabels(writer: ByteWriter, labels: readonly string[]): void {
  writer.varint(labels.length >>> 1)
  for (const text of labels) writer.string(text)
}

export function readLabels(reader: ByteReader): string[] {
  const count = reader.count(2)
  return Array.from({ length: 2 * count }, () => reader.string())
}
