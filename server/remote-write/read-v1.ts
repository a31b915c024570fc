import type { WriteRequestKernels } from '../../kernels/index.ts'
import { EMPTY_LABELS, type Labels, type MetricType, ProtoReader, type SeriesRef } from '../../model/index.ts'
import type { WriteBatch } from './batch.ts'
import { checkedLabels, labelOf } from './label-check.ts'
import type { RemoteMetadata } from './remote-metadata.ts'
import { INVALID_SERIES, LabelHash, SeriesTable } from './series-table.ts'

const SERIES = 10
const METADATA = 26

const LABEL = 10
const SAMPLE = 18
const EXEMPLAR = 26
const HISTOGRAM = 34

/** Of the kernel's rows. */
const ROW_WORDS = 8

/** By number in the enumerations of both versions. */
export const METRIC_TYPES: readonly MetricType[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
]

/** Reads `prometheus.WriteRequest`: every series comes with its labels as text. Remembers the series from request to request. */
export class ReaderV1 {
  readonly known = new SeriesTable()
  readonly #hash = new LabelHash()
  readonly #metadata: RemoteMetadata
  #reader = new ProtoReader(new Uint8Array(0))
  // Of the series that is being read.
  #start = 0
  #labelsEnd = 0
  #sampleCount = 0
  readonly #readLabels = (): Labels => checkedLabels(this.#labelStrings()) ?? EMPTY_LABELS

  constructor(metadata: RemoteMetadata) {
    this.#metadata = metadata
  }

  /**
   * Puts a whole message into the batch.
   *
   * @param now grows with time, for `SeriesTable.forget`
   * @param kernels which unpacked the message, and find its plain series; without them all is read here
   * @throws {WireFormatError} and what the batch throws
   */
  read(bytes: Uint8Array, batch: WriteBatch, now: number, kernels?: WriteRequestKernels): void {
    const reader = new ProtoReader(bytes)
    this.#reader = reader
    if (kernels !== undefined) this.#readPlain(kernels, batch, now)
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SERIES) {
        const outer = reader.open()
        this.#readSeries(batch, now)
        reader.close(outer)
      } else if (tag === METADATA) this.#readMetadata()
      else reader.skip(tag)
      if (kernels !== undefined) this.#readPlain(kernels, batch, now)
    }
  }

  /** Passes over the series that the kernels find. */
  #readPlain(kernels: WriteRequestKernels, batch: WriteBatch, now: number): void {
    const reader = this.#reader
    const { end } = reader
    const { rows, timestampsMs } = kernels
    for (let count = -1; count !== 0; ) {
      count = kernels.scan(reader.pos, end)
      for (let i = 0; i < count; i++) this.#readRow(rows, i * ROW_WORDS, timestampsMs[i]!, batch, now)
      reader.end = end
    }
  }

  /** Takes a series as the kernel describes it, see `WriteRequestKernels.rows`. */
  #readRow(rows: Int32Array, at: number, timestampMs: number, batch: WriteBatch, now: number): void {
    const reader = this.#reader
    this.#start = rows[at + 3]!
    this.#labelsEnd = rows[at + 4]!
    reader.pos = reader.end = rows[at + 5]!
    const hash = this.#hash
    hash.a = rows[at]!
    hash.b = rows[at + 1]!
    hash.c = rows[at + 2]!
    const { known } = this
    let index = known.find(hash, now)
    if (index < 0) index = known.add(hash, this.#isSeries() ? undefined : INVALID_SERIES, now)
    const ref = known.refAt(index)
    if (ref === INVALID_SERIES) {
      batch.invalidSamples++
      return
    }
    batch.ref = ref as SeriesRef | undefined
    batch.lazy.pointTo(this.#readLabels)
    batch.sampleAt(reader.view, rows[at + 6]!, timestampMs)
    if (batch.ref !== undefined && batch.ref !== ref) known.setRef(index, batch.ref)
  }

  #readSeries(batch: WriteBatch, now: number): void {
    const isPlain = this.#survey()
    let index = -1
    if (isPlain) {
      this.#hash.reset()
      this.#hash.addBytes(this.#reader.view, this.#start, this.#labelsEnd)
      index = this.known.find(this.#hash, now)
      if (index < 0) index = this.known.add(this.#hash, this.#isSeries() ? undefined : INVALID_SERIES, now)
    }
    const ref = index >= 0 ? this.known.refAt(index) : this.#isSeries() ? undefined : INVALID_SERIES
    if (ref === INVALID_SERIES) {
      batch.invalidSamples += this.#sampleCount
      return
    }
    batch.ref = ref as SeriesRef | undefined
    batch.lazy.pointTo(this.#readLabels)
    this.#readContent(batch, isPlain)
    if (index >= 0 && batch.ref !== undefined && batch.ref !== ref) this.known.setRef(index, batch.ref)
  }

  /** Finds where the labels end. @returns whether they lie together in front, as every sender writes them */
  #survey(): boolean {
    const reader = this.#reader
    this.#start = reader.pos
    if (this.#surveyShort()) return true
    this.#sampleCount = 0
    this.#labelsEnd = reader.pos
    let isPlain = true
    let isBehind = false
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      reader.skip(tag)
      if (tag !== LABEL) {
        isBehind = true
        if (tag === SAMPLE || tag === HISTOGRAM) this.#sampleCount++
      } else if (isBehind) isPlain = false
      else this.#labelsEnd = reader.pos
    }
    return isPlain
  }

  /** Labels of less than 128 bytes each, then one sample: nearly all that is ever sent. */
  #surveyShort(): boolean {
    const { bytes, pos, end } = this.#reader
    let at = pos
    while (at < end && bytes[at] === LABEL) {
      const length = bytes[at + 1]!
      if (length >= 0x80) return false
      at += 2 + length
    }
    if (at + 1 >= end || bytes[at] !== SAMPLE || at + 2 + bytes[at + 1]! !== end) return false
    this.#labelsEnd = at
    this.#sampleCount = 1
    return bytes[at + 1]! < 0x80
  }

  #readContent(batch: WriteBatch, isPlain: boolean): void {
    const reader = this.#reader
    reader.pos = isPlain ? this.#labelsEnd : this.#start
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SAMPLE) batch.sample(reader)
      else if (tag === HISTOGRAM) batch.histogram(reader)
      else if (tag === EXEMPLAR) this.#readExemplar(batch)
      else reader.skip(tag)
    }
  }

  readonly #isSeries = (): boolean => checkedLabels(this.#labelStrings()) !== undefined

  /** Of the series that is being read; the place in the message stays. */
  #labelStrings(): string[] {
    const reader = this.#reader
    const { pos } = reader
    const flat: string[] = []
    reader.pos = this.#start
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === LABEL) this.#readLabel(flat)
      else reader.skip(tag)
    }
    reader.pos = pos
    return flat
  }

  #readLabel(flat: string[]): void {
    const reader = this.#reader
    const outer = reader.open()
    let name: string | undefined = ''
    let value: string | undefined = ''
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 10) name = reader.stringIfUtf8()
      else if (tag === 18) value = reader.stringIfUtf8()
      else reader.skip(tag)
    }
    reader.close(outer)
    flat.push(...labelOf(name, value))
  }

  #readExemplar(batch: WriteBatch): void {
    const reader = this.#reader
    const outer = reader.open()
    const flat: string[] = []
    let value = 0
    let timestampMs = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 10) this.#readLabel(flat)
      else if (tag === 17) value = reader.double()
      else if (tag === 24) timestampMs = reader.int64()
      else reader.skip(tag)
    }
    reader.close(outer)
    batch.exemplar(flat, value, timestampMs)
  }

  #readMetadata(): void {
    const reader = this.#reader
    const outer = reader.open()
    let type = 0
    let name = ''
    let help = ''
    let unit = ''
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 8) type = reader.uint32()
      else if (tag === 18) name = reader.stringIfUtf8() ?? ''
      else if (tag === 34) help = reader.stringIfUtf8() ?? ''
      else if (tag === 42) unit = reader.stringIfUtf8() ?? ''
      else reader.skip(tag)
    }
    reader.close(outer)
    this.#metadata.set(name, { type: METRIC_TYPES[type] ?? 'unknown', help, unit })
  }
}
