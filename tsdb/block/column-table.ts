import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { writeDurably } from '../files.ts'
import { type BlockIndex, encodeBlockIndex, PAGE_BYTES } from './block-index.ts'
import { cutsOf, encodeReference } from './column-ends.ts'

// What is remembered of column ends, so that memory stays bounded.
const ENDS_MAX = 200_000

/** Packed columns that are being written: a data file, and the index that tells where each lies. */
export class ColumnTable {
  readonly #files: { readonly index: string; readonly data: string }
  readonly #data: PagedFile
  readonly #columnStart: number[] = [0]
  /** By length and checksum of an end: the number of the column that has it. */
  #ends = new Map<number, number>()

  constructor(files: { readonly index: string; readonly data: string }) {
    this.#files = files
    this.#data = new PagedFile(files.data)
  }

  get columnCount(): number {
    return this.#columnStart.length - 1
  }

  /** Adds the next column. */
  add(column: Uint8Array): void {
    this.#data.write(this.#shortened(column))
    this.#columnStart.push(this.#data.length)
  }

  /** Writes the index; both files are synced. @returns the bytes of both */
  async finish(index: Omit<BlockIndex, 'columnStart' | 'pageChecksums'>): Promise<number> {
    const pageChecksums = Uint32Array.from(this.#data.close())
    const columnStart = Float64Array.from(this.#columnStart)
    const bytes = encodeBlockIndex({ ...index, columnStart, pageChecksums })
    await writeDurably(this.#files.index, bytes)
    return bytes.length + columnStart.at(-1)!
  }

  /** Gives up, whatever state it is in; the files are for the caller to delete. */
  close(): void {
    this.#data.abandon()
  }

  /** The column itself, or what is its own and where the rest of it was written before. */
  #shortened(column: Uint8Array): Uint8Array {
    const series = this.columnCount
    const cuts = cutsOf(column)
    const keys = cuts.map((cut) => endKey(column.subarray(cut)))
    for (const [i, cut] of cuts.entries()) {
      const other = this.#ends.get(keys[i]!)
      if (other === undefined) continue
      const end = this.#data.read(this.#columnStart[other + 1]! - (column.length - cut), column.length - cut)
      if (!end.equals(column.subarray(cut))) continue
      const reference = encodeReference(column, cut, series - other)
      if (reference.length < column.length) return reference
    }
    if (this.#ends.size > ENDS_MAX) this.#ends = new Map()
    // What lies nearest is found: references stay short, and the other column's page is more likely in memory.
    for (const key of keys) this.#ends.set(key, series)
    return column
  }
}

const endKey = (bytes: Uint8Array): number => (bytes.length % 2 ** 20) * 2 ** 32 + crc32(bytes)

/** Writes a file from front to back and keeps the checksum of each page. */
class PagedFile {
  readonly #checksums: number[] = []
  readonly #fd: number
  readonly #page = Buffer.allocUnsafe(PAGE_BYTES)
  #used = 0
  #flushed = 0
  #isClosed = false

  constructor(file: string) {
    this.#fd = openSync(file, 'w+')
  }

  get length(): number {
    return this.#flushed + this.#used
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(bytes.length - at, PAGE_BYTES - this.#used)
      this.#page.set(bytes.subarray(at, at + size), this.#used)
      this.#used += size
      at += size
      if (this.#used === PAGE_BYTES) this.#flush()
    }
  }

  /** Bytes that were written before. */
  read(from: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    const onDisk = Math.max(0, Math.min(length, this.#flushed - from))
    for (let done = 0; done < onDisk; ) done += readSync(this.#fd, bytes, done, onDisk - done, from + done)
    if (onDisk < length) this.#page.copy(bytes, onDisk, from + onDisk - this.#flushed, from + length - this.#flushed)
    return bytes
  }

  /** @returns the checksums of the pages */
  close(): number[] {
    try {
      this.#flush()
      fsyncSync(this.#fd)
    } finally {
      this.abandon()
    }
    return this.#checksums
  }

  /** Closes it without what is not written yet: a full disk is no reason to keep it open. */
  abandon(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#fd)
  }

  #flush(): void {
    if (this.#used === 0) return
    const bytes = this.#page.subarray(0, this.#used)
    this.#checksums.push(crc32(bytes))
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    this.#flushed += this.#used
    this.#used = 0
  }
}
