import { readFileSync } from 'node:fs'
import { compareStrings, type Labels } from '../../model/index.ts'
import { MalformedBytesError } from '../bytes.ts'
import { CorruptionError, NewerFormatError } from '../errors.ts'
import { BigEndianReader } from './big-endian.ts'
import { crc32c } from './crc32c.ts'
import { type ChunkPlace, INDEX_MAGIC, INDEX_VERSION, SERIES_ALIGNMENT, TOC_BYTES } from './prometheus-format.ts'

export interface PrometheusSeries {
  readonly labels: Labels
  readonly chunks: readonly ChunkPlace[]
}

/** The index of a block of Prometheus; checksums are looked at as parts are read. */
export class PrometheusIndex {
  readonly #file: string
  readonly #bytes: Buffer
  readonly #symbols: readonly string[]
  readonly #seriesFrom: number
  readonly #seriesTo: number

  /** @throws {CorruptionError} @throws {NewerFormatError} */
  constructor(file: string) {
    this.#file = file
    this.#bytes = readFileSync(file)
    if (this.#bytes.length < 5 + TOC_BYTES || this.#bytes.readUInt32BE(0) !== INDEX_MAGIC) {
      throw new CorruptionError(file, 0, 'not an index of a block of Prometheus')
    }
    const version = this.#bytes[4]!
    if (version > INDEX_VERSION) throw new NewerFormatError(`${file} is of version ${version} of Prometheus' index`)
    if (version < INDEX_VERSION)
      throw new CorruptionError(file, 4, `version ${version} of the index is too old to be read`)
    const [symbolsAt, seriesAt, ...others] = this.#guarded(0, () => this.#tableOfContents())
    this.#symbols = this.#guarded(symbolsAt!, () => this.#readSymbols(symbolsAt!))
    this.#seriesFrom = seriesAt!
    this.#seriesTo = Math.min(...others.filter((at) => at > seriesAt!), this.#bytes.length - TOC_BYTES)
  }

  /** References of all series, in the order of their labels. @throws {CorruptionError} */
  *references(): Generator<number> {
    for (let at = alignSeries(this.#seriesFrom); at < this.#seriesTo; ) {
      const { start, length } = this.#guarded(at, () => this.#entryAt(at))
      yield at / SERIES_ALIGNMENT
      at = alignSeries(start + length + 4)
    }
  }

  /** @throws {CorruptionError} */
  series(reference: number): PrometheusSeries {
    const at = reference * SERIES_ALIGNMENT
    return this.#guarded(at, () => {
      const { start, length } = this.#entryAt(at)
      if (crc32c(this.#bytes.subarray(start, start + length)) !== this.#bytes.readUInt32BE(start + length)) {
        throw new MalformedBytesError('the checksum of a series does not match')
      }
      return this.#decodeSeries(new BigEndianReader(this.#bytes, start, start + length))
    })
  }

  #entryAt(at: number): { start: number; length: number } {
    const reader = new BigEndianReader(this.#bytes, at, this.#seriesTo)
    const length = reader.uvarint()
    const start = reader.at
    reader.skip(length + 4)
    if (length === 0) throw new MalformedBytesError('a series has no content')
    return { start, length }
  }

  #decodeSeries(reader: BigEndianReader): PrometheusSeries {
    const labels: string[] = []
    for (let count = checkedCount(reader, 2); count > 0; count--) {
      labels.push(this.#symbol(reader.uvarint()), this.#symbol(reader.uvarint()))
    }
    for (let i = 2; i < labels.length; i += 2) {
      if (compareStrings(labels[i - 2]!, labels[i]!) >= 0) throw new MalformedBytesError('labels are out of order')
    }
    const chunks: ChunkPlace[] = []
    let place = 0
    let endMs = 0
    for (let left = checkedCount(reader, 3), isFirst = true; left > 0; left--, isFirst = false) {
      const minTimeMs = isFirst ? reader.varint() : endMs + reader.uvarint()
      endMs = minTimeMs + reader.uvarint()
      place += isFirst ? reader.uvarint() : reader.varint()
      if (!(place >= 0)) throw new MalformedBytesError('a chunk lies before its file')
      chunks.push({
        minTimeMs,
        maxTimeMs: endMs,
        segment: Math.floor(place / 2 ** 32),
        offset: place % 2 ** 32,
      })
    }
    return { labels, chunks }
  }

  #symbol(number: number): string {
    const text = this.#symbols[number]
    if (text === undefined) throw new MalformedBytesError('a symbol is missing')
    return text
  }

  #tableOfContents(): number[] {
    const at = this.#bytes.length - TOC_BYTES
    const reader = new BigEndianReader(this.#bytes, at)
    const offsets = Array.from({ length: 6 }, () => reader.u64())
    if (crc32c(this.#bytes.subarray(at, at + TOC_BYTES - 4)) !== reader.u32()) {
      throw new MalformedBytesError('the checksum of the table of contents does not match')
    }
    return offsets
  }

  #readSymbols(at: number): string[] {
    const head = new BigEndianReader(this.#bytes, at)
    const length = head.u32()
    const start = head.at
    head.skip(length)
    if (crc32c(this.#bytes.subarray(start, start + length)) !== head.u32()) {
      throw new MalformedBytesError('the checksum of the symbols does not match')
    }
    const reader = new BigEndianReader(this.#bytes, start, start + length)
    const count = reader.u32()
    if (count > length) throw new MalformedBytesError('a count exceeds the bytes that are left')
    return Array.from({ length: count }, () => reader.string())
  }

  #guarded<T>(at: number, read: () => T): T {
    try {
      return read()
    } catch (cause) {
      if (!(cause instanceof MalformedBytesError)) throw cause
      throw new CorruptionError(this.#file, at, cause.message, { cause })
    }
  }
}

const alignSeries = (at: number): number => Math.ceil(at / SERIES_ALIGNMENT) * SERIES_ALIGNMENT

function checkedCount(reader: BigEndianReader, itemBytesMin: number): number {
  const count = reader.uvarint()
  if (count * itemBytesMin > reader.left) throw new MalformedBytesError('a count exceeds the bytes that are left')
  return count
}
