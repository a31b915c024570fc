import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { CorruptionError } from '../errors.ts'
import type { Scratch } from '../memory/scratch.ts'
import { type BlockIndex, PAGE_BYTES } from './block-index.ts'
import { decodeReference } from './column-ends.ts'
import type { PageCache } from './page-cache.ts'

/** The data file of a block, opened by one reader: columns by the number of their series. */
export class ColumnFile {
  readonly #ulid: string
  readonly #file: string
  readonly #index: BlockIndex
  readonly #pages: PageCache
  readonly #fd: number

  constructor(ulid: string, file: string, index: BlockIndex, pages: PageCache) {
    this.#ulid = ulid
    this.#file = file
    this.#index = index
    this.#pages = pages
    this.#fd = openSync(file, 'r')
  }

  close(): void {
    closeSync(this.#fd)
    this.#pages.forget(this.#ulid)
  }

  /** Copies the packed column of a series into scratch memory. @throws {CorruptionError} */
  load(series: number, scratch: Scratch): { start: number; end: number } {
    const stored = this.#copy(series, scratch)
    const reference = decodeReference(scratch.views.u8.subarray(stored.start, stored.end))
    return reference === undefined ? stored : this.#follow(series, reference, scratch)
  }

  damaged(series: number): CorruptionError {
    return new CorruptionError(this.#file, this.#index.columnStart[series] ?? 0, 'a column does not decode')
  }

  /** Puts together a column's own bytes and the end of another. */
  #follow(
    series: number,
    { distance, endBytes, own }: NonNullable<ReturnType<typeof decodeReference>>,
    scratch: Scratch,
  ): { start: number; end: number } {
    if (distance < 1 || distance > series) throw this.damaged(series)
    const head = own.slice()
    const other = this.#copy(series - distance, scratch)
    const { start: from, end: to } = other
    const { u8 } = scratch.views
    if (endBytes > to - from || decodeReference(u8.subarray(from, to)) !== undefined) throw this.damaged(series)
    const start = scratch.take(head.length + endBytes)
    scratch.views.u8.set(head, start)
    scratch.views.u8.copyWithin(start + head.length, to - endBytes, to)
    return { start, end: start + head.length + endBytes }
  }

  #copy(series: number, scratch: Scratch): { start: number; end: number } {
    const from = this.#index.columnStart[series]!
    const to = this.#index.columnStart[series + 1]!
    const start = scratch.take(to - from)
    for (let at = from; at < to; ) {
      const page = Math.floor(at / PAGE_BYTES)
      const bytes = this.#pages.get(this.#ulid, page, () => this.#readPage(page))
      const inPage = at - page * PAGE_BYTES
      const size = Math.min(to - at, PAGE_BYTES - inPage)
      scratch.views.u8.set(bytes.subarray(inPage, inPage + size), start + (at - from))
      at += size
    }
    return { start, end: start + (to - from) }
  }

  #readPage(page: number): Uint8Array {
    const at = page * PAGE_BYTES
    const total = this.#index.columnStart.at(-1)!
    const bytes = Buffer.allocUnsafeSlow(Math.min(PAGE_BYTES, total - at))
    let done = 0
    while (done < bytes.length) {
      const read = readSync(this.#fd, bytes, done, bytes.length - done, at + done)
      if (read === 0) throw new CorruptionError(this.#file, at + done, 'the file ends early')
      done += read
    }
    if (crc32(bytes) !== this.#index.pageChecksums[page]) {
      throw new CorruptionError(this.#file, at, 'the checksum of the page does not match')
    }
    return bytes
  }
}
