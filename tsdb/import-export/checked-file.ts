import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { crc32c } from './crc32c.ts'

const BUFFER_BYTES = 1 << 18

/** Writes a file from front to back, big-endian, with checksums over stretches of it. */
export class CheckedFile {
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #used = 0
  #flushed = 0
  #checksum = 0

  constructor(file: string) {
    this.#fd = openSync(file, 'wx')
  }

  get length(): number {
    return this.#flushed + this.#used
  }

  append(bytes: Uint8Array): void {
    this.#checksum = crc32c(bytes, this.#checksum)
    if (bytes.length > BUFFER_BYTES - this.#used) this.#flush()
    if (bytes.length > BUFFER_BYTES) this.#write(bytes)
    else {
      this.#buffer.set(bytes, this.#used)
      this.#used += bytes.length
    }
  }

  u32(value: number): void {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(value)
    this.append(bytes)
  }

  /** Zeros up to the next multiple of `size`. */
  align(size: number): void {
    this.append(new Uint8Array((size - (this.length % size)) % size))
  }

  startChecksum(): void {
    this.#checksum = 0
  }

  /** Appends the checksum of everything since `startChecksum`. */
  endChecksum(): void {
    this.u32(this.#checksum)
  }

  /** Closes the file; its content is durable then. */
  close(): void {
    this.#flush()
    fsyncSync(this.#fd)
    closeSync(this.#fd)
  }

  /** Closes it as it is. */
  abandon(): void {
    closeSync(this.#fd)
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    this.#flushed += bytes.length
  }
}
