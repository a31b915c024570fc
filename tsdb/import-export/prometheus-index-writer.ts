import { compareStrings, type Labels } from '../../model/index.ts'
import { BigEndianWriter } from './big-endian.ts'
import { CheckedFile } from './checked-file.ts'
import { type ChunkPlace, INDEX_MAGIC, INDEX_VERSION, SERIES_ALIGNMENT } from './prometheus-format.ts'

const VERSION_BYTES = Uint8Array.of(INDEX_VERSION)

/** Writes the index of a block of Prometheus: its symbols, then series after series, then everything that leads to them. */
export class PrometheusIndexWriter {
  readonly #file: CheckedFile
  readonly #scratch = new BigEndianWriter()
  readonly #symbols: ReadonlyMap<string, number>
  readonly #seriesAt: number
  /** References of series by name and value. */
  readonly #postings = new Map<string, Map<string, number[]>>()
  readonly #all: number[] = []

  /** @param texts every label name and value that will come */
  constructor(path: string, texts: Iterable<string>) {
    this.#file = new CheckedFile(path)
    this.#file.u32(INDEX_MAGIC)
    this.#file.append(VERSION_BYTES)
    const sorted = [...texts].sort(compareStrings)
    this.#symbols = new Map(sorted.map((text, i) => [text, i]))
    this.#section((out) => {
      out.u32(sorted.length)
      for (const text of sorted) out.string(text)
    })
    this.#file.align(SERIES_ALIGNMENT)
    this.#seriesAt = this.#file.length
  }

  /** Series come in the order of their labels, chunks in that of time. */
  addSeries(labels: Labels, chunks: Iterable<ChunkPlace>, chunkCount: number): void {
    const file = this.#file
    file.align(SERIES_ALIGNMENT)
    const ref = file.length / SERIES_ALIGNMENT
    const out = this.#scratch
    out.clear()
    out.uvarint(labels.length >>> 1)
    for (const text of labels) out.uvarint(this.#symbols.get(text)!)
    out.uvarint(chunkCount)
    let endMs: number | undefined
    let place = { segment: 0, offset: 0 }
    for (const chunk of chunks) {
      if (endMs === undefined) out.varint(chunk.minTimeMs)
      else out.uvarint(chunk.minTimeMs - endMs)
      out.uvarint(chunk.maxTimeMs - chunk.minTimeMs)
      const distance = (chunk.segment - place.segment) * 2 ** 32 + chunk.offset - place.offset
      if (endMs === undefined) out.uvarint(distance)
      else out.varint(distance)
      endMs = chunk.maxTimeMs
      place = chunk
    }
    const head = new BigEndianWriter()
    head.uvarint(out.length)
    file.append(head.bytes())
    file.startChecksum()
    file.append(out.bytes())
    file.endChecksum()
    this.#all.push(ref)
    for (let i = 0; i < labels.length; i += 2) this.#post(labels[i]!, labels[i + 1]!, ref)
  }

  /** Writes the rest and closes the file; it is durable then. */
  finish(): void {
    const file = this.#file
    const names = [...this.#postings.keys()].sort(compareStrings)
    const values = (name: string): string[] => [...this.#postings.get(name)!.keys()].sort(compareStrings)
    file.align(4)
    const labelIndicesAt = file.length
    const labelTable = names.map((name) => {
      file.align(4)
      const at = file.length
      this.#section((out) => {
        const own = values(name)
        out.u32(1)
        out.u32(own.length)
        for (const value of own) out.u32(this.#symbols.get(value)!)
      })
      return { key: [name], at }
    })
    file.align(4)
    const postingsAt = file.length
    const postingsTable = [{ key: ['', ''], at: this.#writePostings(this.#all) }]
    for (const name of names) {
      for (const value of values(name)) {
        postingsTable.push({ key: [name, value], at: this.#writePostings(this.#postings.get(name)!.get(value)!) })
      }
    }
    const labelTableAt = this.#writeTable(labelTable)
    const postingsTableAt = this.#writeTable(postingsTable)
    const out = this.#scratch
    out.clear()
    // The symbols stand behind the magic and the version.
    for (const at of [5, this.#seriesAt, labelIndicesAt, labelTableAt, postingsAt, postingsTableAt]) out.u64(at)
    file.startChecksum()
    file.append(out.bytes())
    file.endChecksum()
    file.close()
  }

  abandon(): void {
    this.#file.abandon()
  }

  #post(name: string, value: string, ref: number): void {
    const values = this.#postings.get(name) ?? new Map<string, number[]>()
    this.#postings.set(name, values)
    const refs = values.get(value)
    if (refs) refs.push(ref)
    else values.set(value, [ref])
  }

  #writePostings(refs: readonly number[]): number {
    this.#file.align(4)
    const at = this.#file.length
    this.#section((out) => {
      out.u32(refs.length)
      for (const ref of refs) out.u32(ref)
    })
    return at
  }

  #writeTable(rows: readonly { readonly key: readonly string[]; readonly at: number }[]): number {
    const at = this.#file.length
    this.#section((out) => {
      out.u32(rows.length)
      for (const row of rows) {
        out.uvarint(row.key.length)
        for (const text of row.key) out.string(text)
        out.uvarint(row.at)
      }
    })
    return at
  }

  /** Length, content, checksum. */
  #section(write: (out: BigEndianWriter) => void): void {
    const out = this.#scratch
    out.clear()
    write(out)
    this.#file.u32(out.length)
    this.#file.startChecksum()
    this.#file.append(out.bytes())
    this.#file.endChecksum()
  }
}
