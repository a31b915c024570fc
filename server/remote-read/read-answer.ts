import {
  compareLabels,
  encodeSnappy,
  type Labels,
  labelValue,
  ProtoWriter,
  type Queryable,
  type SeriesColumn,
  withLabels,
  writeLabelPairs,
} from '../../model/index.ts'
import { crc32c, packChunks } from '../../tsdb/index.ts'
import { writeHistogramSample } from './histogram-message.ts'
import { type ReadQuery, type ReadRequest, ReadRequestError } from './read-request.ts'

export interface ReadOptions {
  /** Given to every series that lacks them; who asks with them means this server. */
  readonly externalLabels: Labels
  /** In all; more is refused. */
  readonly samplesMax: number
  /** Of a frame of chunks; a single chunk may be longer. */
  readonly frameBytesMax: number
}

interface FoundSeries {
  readonly labels: Labels
  readonly column: SeriesColumn
}

/**
 * What a remote reader gets: `prometheus.ReadResponse` in snappy, or frames of `prometheus.ChunkedReadResponse`, each with its
 * length and its CRC-32C in front.
 *
 * @throws {ReadRequestError}
 */
export function answerRead(queryable: Queryable, request: ReadRequest, options: ReadOptions): Uint8Array {
  let samplesLeft = options.samplesMax
  const writer = new ProtoWriter(1 << 16)
  for (const [index, query] of request.queries.entries()) {
    const found = findSeries(queryable, query, options, (count) => {
      samplesLeft -= count
      if (samplesLeft < 0) throw new ReadRequestError(`exceeded sample limit (${options.samplesMax})`)
    })
    if (request.wantsChunks) writeFrames(writer, index, found, options.frameBytesMax)
    else writeResult(writer, found)
  }
  return request.wantsChunks ? writer.finish() : encodeSnappy(writer.finish())
}

/** In the order of their labels: who merges several sources relies on it. */
function findSeries(
  queryable: Queryable,
  { minTimeMs, maxTimeMs, matchers }: ReadQuery,
  { externalLabels }: ReadOptions,
  onSamples: (count: number) => void,
): FoundSeries[] {
  const range = { minTimeMs, maxTimeMs }
  const isOurs = (name: string, value: string): boolean => value !== '' && labelValue(externalLabels, name) === value
  const local = matchers.filter(({ type, name, value }) => type !== '=' || !isOurs(name, value))
  const found: FoundSeries[] = []
  const querier = queryable.querier(range)
  try {
    for (const column of querier.select(local, range)) {
      onSamples(column.length)
      if (column.length > 0) found.push({ labels: withExternal(column.labels, externalLabels), column: keep(column) })
    }
  } finally {
    querier.close()
  }
  return found.sort((a, b) => compareLabels(a.labels, b.labels))
}

function withExternal(labels: Labels, external: Labels): Labels {
  if (external.length === 0) return labels
  const missing: [string, string][] = []
  for (let i = 0; i < external.length; i += 2) {
    if (labelValue(labels, external[i]!) === '') missing.push([external[i]!, external[i + 1]!])
  }
  return withLabels(labels, missing)
}

/** A column is only good until the next one is asked for. */
const keep = ({ labels, timestampsMs, values, length, histograms }: SeriesColumn): SeriesColumn => ({
  labels,
  length,
  timestampsMs: timestampsMs.slice(0, length),
  values: values.slice(0, length),
  stale: undefined,
  ...(histograms === undefined ? {} : { histograms: histograms.slice(0, length) }),
})

function writeResult(writer: ProtoWriter, found: readonly FoundSeries[]): void {
  const result = writer.open(1)
  for (const { labels, column } of found) {
    const series = writer.open(1)
    writeLabelPairs(writer, labels)
    const words = wordsOf(column)
    for (let i = 0; i < column.length; i++) {
      const timestampMs = column.timestampsMs[i]!
      const histogram = column.histograms?.[i]
      if (histogram !== undefined) {
        writeHistogramSample(writer, 4, { timestampMs, histogram })
        continue
      }
      const sample = writer.open(2)
      writer.doubleBits(1, words[2 * i]!, words[2 * i + 1]!)
      writer.int64(2, timestampMs)
      writer.close(sample)
    }
    writer.close(series)
  }
  writer.close(result)
}

/** Low word, high word: a staleness marker is one of many NaNs. */
const wordsOf = ({ values, length }: SeriesColumn): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, 2 * length)

/** A frame holds chunks of one series; a long series takes several. */
function writeFrames(out: ProtoWriter, queryIndex: number, found: readonly FoundSeries[], frameBytesMax: number): void {
  const frame = new ProtoWriter(4096)
  for (const { labels, column } of found) {
    const chunks = packChunks(column)
    for (let next = 0; next < chunks.length; ) {
      frame.reset()
      const series = frame.open(1)
      writeLabelPairs(frame, labels)
      do {
        const { encoding, bytes, minTimeMs, maxTimeMs } = chunks[next++]!
        const chunk = frame.open(2)
        frame.int64(1, minTimeMs)
        frame.int64(2, maxTimeMs)
        frame.uint64(3, encoding)
        frame.bytes(4, bytes)
        frame.close(chunk)
      } while (next < chunks.length && frame.length + chunks[next]!.bytes.length < frameBytesMax)
      frame.close(series)
      frame.int64(2, queryIndex)
      writeFrame(out, frame.finish())
    }
  }
}

function writeFrame(out: ProtoWriter, message: Uint8Array): void {
  out.rawVarint(message.length)
  const checksum = new Uint8Array(4)
  new DataView(checksum.buffer).setUint32(0, crc32c(message))
  out.raw(checksum)
  out.raw(message)
}
