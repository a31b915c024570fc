import { EMPTY_LABELS, type Labels, METRIC_NAME, ProtoReader, readUint32s, type SeriesRef } from '../../model/index.ts'
import type { WriteBatch } from './batch.ts'
import { checkedLabels, labelOf } from './label-check.ts'
import { METRIC_TYPES } from './read-v1.ts'
import type { RemoteMetadata } from './remote-metadata.ts'
import { INVALID_SERIES, LabelHash, SeriesTable } from './series-table.ts'

const SYMBOL = 34
const SERIES = 42

const LABEL_REFS = 1
const SAMPLE = 18
const HISTOGRAM = 26
const EXEMPLAR = 34
const METADATA = 42

/** The message's table of strings: where each lies, and its hash. */
class Symbols {
  count = 0
  starts = new Uint32Array(256)
  ends = new Uint32Array(256)
  /** Three parts each. */
  hashes = new Int32Array(3 * 256)

  add(start: number, end: number, hash: LabelHash): void {
    if (this.count === this.starts.length) this.#grow()
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.hashes[3 * this.count] = hash.a
    this.hashes[3 * this.count + 1] = hash.b
    this.hashes[3 * this.count + 2] = hash.c
    this.count++
  }

  #grow(): void {
    const { starts, ends, hashes } = this
    this.starts = new Uint32Array(starts.length * 2)
    this.starts.set(starts)
    this.ends = new Uint32Array(starts.length * 2)
    this.ends.set(ends)
    this.hashes = new Int32Array(starts.length * 6)
    this.hashes.set(hashes)
  }
}

/**
 * Reads `io.prometheus.write.v2.Request`: strings lie once in a table and are named by number. What cannot be stored is noted
 * in the batch, the rest is stored.
 */
export class ReaderV2 {
  readonly known = new SeriesTable()
  readonly #hash = new LabelHash()
  readonly #metadata: RemoteMetadata
  #symbols = new Symbols()
  #reader = new ProtoReader(new Uint8Array(0))
  // Of the series that is being read.
  #refs: number[] = []
  #start = 0
  #sampleCount = 0
  readonly #readLabels = (): Labels => checkedLabels(this.#strings(this.#refs)) ?? EMPTY_LABELS

  constructor(metadata: RemoteMetadata) {
    this.#metadata = metadata
  }

  /**
   * Puts a whole message into the batch.
   *
   * @param now grows with time, for `SeriesTable.forget`
   * @throws {WireFormatError} and what the batch throws
   */
  read(bytes: Uint8Array, batch: WriteBatch, now: number): void {
    const reader = new ProtoReader(bytes)
    this.#reader = reader
    this.#readSymbols()
    reader.pos = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SERIES) {
        const outer = reader.open()
        this.#readSeries(batch, now)
        reader.close(outer)
      } else reader.skip(tag)
    }
    // A large request must not keep its table for ever.
    if (this.#symbols.starts.length > 1 << 16) this.#symbols = new Symbols()
  }

  /** The order of fields is the sender's, so the table is looked for first. */
  #readSymbols(): void {
    const reader = this.#reader
    this.#symbols.count = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SYMBOL) {
        const outer = reader.open()
        this.#hash.reset()
        this.#hash.addBytes(reader.view, reader.pos, reader.end)
        this.#symbols.add(reader.pos, reader.end, this.#hash)
        reader.close(outer)
      } else reader.skip(tag)
    }
  }

  #readSeries(batch: WriteBatch, now: number): void {
    this.#survey()
    if (!this.#areRefsSound()) {
      batch.invalidSamples += this.#sampleCount
      batch.fault(`invalid label references [${this.#refs.slice(0, 40).join(' ')}] for ${this.#symbols.count} symbols`)
      return
    }
    const index = this.#indexOf(now)
    const ref = this.known.refAt(index)
    if (ref === INVALID_SERIES || this.#sampleCount === 0) {
      const labels = JSON.stringify(this.#strings(this.#refs))
      batch.invalidSamples += this.#sampleCount
      const why =
        ref === INVALID_SERIES ? 'invalid metric name or labels' : 'TimeSeries must contain at least one sample'
      batch.fault(`${why}, got ${labels}`)
      return
    }
    batch.ref = ref as SeriesRef | undefined
    batch.lazy.pointTo(this.#readLabels)
    this.#readContent(batch, index)
    if (batch.ref !== undefined && batch.ref !== ref) this.known.setRef(index, batch.ref)
  }

  /** Collects the labels and counts the samples. */
  #survey(): void {
    const reader = this.#reader
    this.#start = reader.pos
    this.#refs.length = 0
    this.#sampleCount = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag >>> 3 === LABEL_REFS) readUint32s(reader, tag, this.#refs)
      else {
        if (tag === SAMPLE || tag === HISTOGRAM) this.#sampleCount++
        reader.skip(tag)
      }
    }
  }

  #areRefsSound(): boolean {
    const refs = this.#refs
    for (let i = 0; i < refs.length; i++) if (refs[i]! >= this.#symbols.count) return false
    return refs.length % 2 === 0
  }

  #indexOf(now: number): number {
    const hash = this.#hash
    const { hashes } = this.#symbols
    const refs = this.#refs
    hash.reset()
    for (let i = 0; i < refs.length; i++) {
      const at = 3 * refs[i]!
      hash.addHash(hashes[at]!, hashes[at + 1]!, hashes[at + 2]!)
    }
    hash.addWord(refs.length)
    const index = this.known.find(hash, now)
    if (index >= 0) return index
    const isSeries = checkedLabels(this.#strings(refs)) !== undefined
    return this.known.add(hash, isSeries ? undefined : INVALID_SERIES, now)
  }

  #readContent(batch: WriteBatch, index: number): void {
    const reader = this.#reader
    reader.pos = this.#start
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SAMPLE) batch.sample(reader)
      else if (tag === HISTOGRAM) batch.histogram(reader)
      else if (tag === EXEMPLAR) this.#readExemplar(batch)
      else if (tag === METADATA) this.#readMetadata(index)
      else reader.skip(tag)
    }
  }

  #readExemplar(batch: WriteBatch): void {
    const reader = this.#reader
    const outer = reader.open()
    const refs: number[] = []
    let value = 0
    let timestampMs = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag >>> 3 === LABEL_REFS) readUint32s(reader, tag, refs)
      else if (tag === 17) value = reader.double()
      else if (tag === 24) timestampMs = reader.int64()
      else reader.skip(tag)
    }
    reader.close(outer)
    const isSound = refs.length % 2 === 0 && refs.every((ref) => ref < this.#symbols.count)
    if (isSound) batch.exemplar(this.#strings(refs), value, timestampMs)
  }

  /** Senders repeat it with every sample, so strings are made only where it says something new. */
  #readMetadata(index: number): void {
    const reader = this.#reader
    const outer = reader.open()
    let type = 0
    let help = 0
    let unit = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 8) type = reader.uint32()
      else if (tag === 24) help = reader.uint32()
      else if (tag === 32) unit = reader.uint32()
      else reader.skip(tag)
    }
    reader.close(outer)
    const { count, hashes } = this.#symbols
    if (help >= count || unit >= count || (type === 0 && help === 0 && unit === 0)) return
    const note = (type + 1) ^ hashes[3 * help]! ^ Math.imul(hashes[3 * unit]!, 31)
    if (!this.known.note(index, note)) return
    const labels = this.#strings(this.#refs)
    const name = labels[labels.indexOf(METRIC_NAME) + 1] ?? ''
    this.#metadata.set(name, {
      type: METRIC_TYPES[type] ?? 'unknown',
      help: this.#text(help) ?? '',
      unit: this.#text(unit) ?? '',
    })
  }

  #strings(refs: readonly number[]): string[] {
    const flat: string[] = []
    for (let i = 0; i < refs.length; i += 2) flat.push(...labelOf(this.#text(refs[i]!), this.#text(refs[i + 1]!)))
    return flat
  }

  /** `undefined` for what is no UTF-8. */
  #text(symbol: number): string | undefined {
    return this.#reader.decode(this.#symbols.starts[symbol]!, this.#symbols.ends[symbol]!)
  }
}
