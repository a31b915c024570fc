/** Writes ZooKeeper's wire types: big-endian integers, buffers and strings with their length in front. */
export class JuteWriter {
  readonly #parts: Buffer[] = []

  int(value: number): this {
    const part = Buffer.alloc(4)
    part.writeInt32BE(value)
    return this.#add(part)
  }

  long(value: bigint): this {
    const part = Buffer.alloc(8)
    part.writeBigInt64BE(value)
    return this.#add(part)
  }

  bool(value: boolean): this {
    return this.#add(Buffer.from([value ? 1 : 0]))
  }

  buffer(value: Uint8Array): this {
    return this.int(value.length).#add(Buffer.from(value))
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value))
  }

  /** As a frame: its length in front. */
  frame(): Buffer {
    const body = Buffer.concat(this.#parts)
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length)
    return Buffer.concat([length, body])
  }

  #add(part: Buffer): this {
    this.#parts.push(part)
    return this
  }
}

/** Reads what `JuteWriter` writes. Reading past the end throws a `RangeError`. */
export class JuteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  long(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  /** A copy; empty for one that is null. */
  buffer(): Buffer {
    const length = Math.max(0, this.int())
    if (this.#at + length > this.#bytes.length) throw new RangeError('a ZooKeeper record is cut short')
    this.#at += length
    return Buffer.from(this.#bytes.subarray(this.#at - length, this.#at))
  }

  text(): string {
    return this.buffer().toString()
  }

  texts(): string[] {
    return Array.from({ length: Math.max(0, this.int()) }, () => this.text())
  }
}
