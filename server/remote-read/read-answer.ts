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
  /** In all; more is refused. 0 = no limit. */
  readonly samplesMax: number
  /** Of a frame of chunks; a single chunk may be longer. */
  readonly frameBytesMax: number
  /** Called before each series; what it throws ends the read. */
  readonly check: () => void
}

/** A series as it goes out. */
interface WrittenSeries {
  readonly labels: Labels
  /** One message, or frames of chunks: samples themselves take several times the room. */
  readonly messages: readonly Uint8Array[]
}

/**
 * What a remote reader gets: `prometheus.ReadResponse` in snappy, or frames of `prometheus.ChunkedReadResponse`, each with its
 * length and its CRC-32C in front.
 *
 * @throws {ReadRequestError}
 */
export function answerRead(queryable: Queryable, request: ReadRequest, options: ReadOptions): Uint8Array {
  const { samplesMax, frameBytesMax } = options
  let samples = 0
  const onSamples = (count: number): void => {
    samples += count
    if (samplesMax > 0 && samples > samplesMax) throw new ReadRequestError(`exceeded sample limit (${samplesMax})`)
  }
  const writer = new ProtoWriter(1 << 16)
  const pieces: Uint8Array[] = []
  for (const [index, query] of request.queries.entries()) {
    const write = (labels: Labels, column: SeriesColumn): Uint8Array[] =>
      request.wantsChunks
        ? framesOf(writer, { labels, column, queryIndex: index }, frameBytesMax)
        : [messageOf(writer, labels, column)]
    const found = findSeries(queryable, query, options, { onSamples, write })
    if (!request.wantsChunks) pieces.push(resultHead(writer, found))
    for (const { messages } of found) for (const message of messages) pieces.push(message)
  }
  const answer = joined(pieces)
  return request.wantsChunks ? answer : encodeSnappy(answer)
}

/** In the order of their labels: who merges several sources relies on it. */
function findSeries(
  queryable: Queryable,
  { minTimeMs, maxTimeMs, matchers }: ReadQuery,
  { externalLabels, check }: ReadOptions,
  {
    onSamples,
    write,
  }: { onSamples: (count: number) => void; write: (labels: Labels, column: SeriesColumn) => Uint8Array[] },
): WrittenSeries[] {
  const range = { minTimeMs, maxTimeMs }
  const isOurs = (name: string, value: string): boolean => value !== '' && labelValue(externalLabels, name) === value
  const local = matchers.filter(({ type, name, value }) => type !== '=' || !isOurs(name, value))
  const found: WrittenSeries[] = []
  const querier = queryable.querier(range)
  try {
    for (const column of querier.select(local, range)) {
      check()
      onSamples(column.length)
      if (column.length === 0) continue
      const labels = withExternal(column.labels, externalLabels)
      found.push({ labels, messages: write(labels, column) })
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

/** The tag and the length of a result with these series. */
function resultHead(writer: ProtoWriter, found: readonly WrittenSeries[]): Uint8Array {
  writer.reset()
  writer.rawVarint(RESULTS_TAG)
  writer.rawVarint(found.reduce((sum, { messages }) => sum + messages[0]!.length, 0))
  return writer.finish()
}

/** Field 1, with its length in front. */
const RESULTS_TAG = 10

function messageOf(writer: ProtoWriter, labels: Labels, column: SeriesColumn): Uint8Array {
  writer.reset()
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
  return writer.finish()
}

/** Low word, high word: a staleness marker is one of many NaNs. */
const wordsOf = ({ values, length }: SeriesColumn): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, 2 * length)

/** A frame holds chunks of one series; a long series takes several. */
function framesOf(
  frame: ProtoWriter,
  { labels, column, queryIndex }: { labels: Labels; column: SeriesColumn; queryIndex: number },
  frameBytesMax: number,
): Uint8Array[] {
  const frames: Uint8Array[] = []
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
    const message = frame.finish()
    frames.push(frameHead(frame, message), message)
  }
  return frames
}

function frameHead(writer: ProtoWriter, message: Uint8Array): Uint8Array {
  writer.reset()
  writer.rawVarint(message.length)
  const checksum = new Uint8Array(4)
  new DataView(checksum.buffer).setUint32(0, crc32c(message))
  writer.raw(checksum)
  return writer.finish()
}

/** Lets go of the pieces. */
function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces.splice(0)) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
