import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncFolder, writeDurably } from '../files.ts'
import { blockFiles, TEMPORARY_SUFFIX } from './block-folder.ts'
import { type BlockIndex, encodeBlockIndex, PAGE_BYTES } from './block-index.ts'
import { cutsOf, encodeReference } from './column-ends.ts'
import type { BlockMeta } from './meta.ts'

// What is remembered of column ends, so that memory stays bounded.
const ENDS_MAX = 200_000

/** A block that is being written: built beside its place, synced, and moved there at the end. */
export class BlockOutput {
  /** Where it is built. */
  readonly folder: string
  readonly #dataDir: string
  readonly #ulid: string
  readonly #data: PagedFile
  readonly #columnStart: number[] = [0]
  /** By length and checksum of an end: the number of the column that has it. */
  #ends = new Map<number, number>()
  #sampleCount = 0

  constructor(dataDir: string, ulid: string) {
    this.#dataDir = dataDir
    this.#ulid = ulid
    this.folder = join(dataDir, `${ulid}${TEMPORARY_SUFFIX}`)
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(this.folder, { recursive: true })
    this.#data = new PagedFile(blockFiles(this.folder).data)
  }

  get seriesCount(): number {
    return this.#columnStart.length - 1
  }

  /** Adds the packed column of the next series. */
  add(column: Uint8Array, samples: number): void {
    this.#data.write(this.#shortened(column))
    this.#columnStart.push(this.#data.length)
    this.#sampleCount += samples
  }

  /** Closes the block and moves it to its place. @param counts `otherBytes`: of files that were put into the folder besides */
  async finish(
    index: Omit<BlockIndex, 'columnStart' | 'pageChecksums'>,
    meta: Omit<BlockMeta, 'ulid' | 'stats' | 'version'>,
    counts: { readonly series: number; readonly otherBytes: number },
  ): Promise<BlockMeta> {
    const checksums = this.#data.close()
    const files = blockFiles(this.folder)
    const columnStart = Float64Array.from(this.#columnStart)
    const bytes = encodeBlockIndex({ ...index, columnStart, pageChecksums: Uint32Array.from(checksums) })
    await writeDurably(files.index, bytes)
    const complete: BlockMeta = {
      ulid: this.#ulid,
      ...meta,
      stats: {
        numSamples: this.#sampleCount,
        numSeries: counts.series,
        numChunks: this.seriesCount,
        numBytes: bytes.length + columnStart.at(-1)! + counts.otherBytes,
      },
      version: 1,
    }
    await writeDurably(files.meta, `${JSON.stringify(complete, undefined, 2)}\n`)
    await syncFolder(this.folder)
    renameSync(this.folder, join(this.#dataDir, this.#ulid))
    await syncFolder(this.#dataDir)
    return complete
  }

  /** Gives up: nothing stays. */
  discard(): void {
    this.#data.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** The column itself, or what is its own and where the rest of it was written before. */
  #shortened(column: Uint8Array): Uint8Array {
    const series = this.seriesCount
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
    if (this.#isClosed) return this.#checksums
    this.#isClosed = true
    this.#flush()
    fsyncSync(this.#fd)
    closeSync(this.#fd)
    return this.#checksums
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
