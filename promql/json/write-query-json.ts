// Covered by bench/micro/query-json.bench.ts.
import { NumberFormatter, POINT_BYTES_MAX } from '../../kernels/index.ts'
import { formatDuration } from '../../model/duration.ts'
import { formatFloatPlain } from '../../model/float.ts'
import type { Labels } from '../../model/labels.ts'
import type { VectorSample } from '../../model/query.ts'
import type { EvaluationStats, MatrixSeries, QueryResult } from '../exec/result.ts'
import { ByteBuffer } from '../../lib/byte-buffer.ts'
import { writeHistogramPoint } from './write-histogram.ts'

/** What stands around the result in the answer. */
export interface QueryJsonExtras {
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
  /** The most series (or samples of a vector) to answer with; 0 = all. */
  readonly limit?: number
  /** Set when the request asked for statistics. */
  readonly stats?: EvaluationStats
  /** How long the query waited before it was evaluated; part of the statistics. */
  readonly queuedMs?: number
  /** Finds memory to write into, of the size that the answer is expected to have at most. */
  readonly findRoom?: (bytes: number, allocate: AllocateRoom) => Uint8Array | undefined
  /** Told now and then how much of the room has been filled for good, while the rest is being written. */
  readonly onFilled?: (bytes: number) => void
}

/** Gives shared memory for good that points are written into without a copy; `undefined` where it would be too much. */
export type AllocateRoom = (bytes: number) => Uint8Array | undefined

/** Of all such memory of a thread. */
const ROOM_BYTES_MAX = 32 << 20
/** Prometheus shows ten of each kind and counts the rest. */
const ANNOTATIONS_MAX = 10
/** Written between two words about it: each wakes another thread, which takes as long as sending some hundred kilobytes. */
const FILLED_BYTES = 1 << 20
/** Points written between two looks at the buffer's capacity. */
const BLOCK_POINTS = 2048
/** Of a time with milliseconds and 17 digits. */
const POINT_BYTES_USUAL = 40

// One per thread: it holds a compiled kernel and scratch memory, no state.
let sharedFormatter: NumberFormatter | undefined
const allocateRoom: AllocateRoom = (bytes) => sharedFormatter?.allocateRoom(bytes)

/**
 * The whole body of a successful `/api/v1/query` or `/api/v1/query_range`, byte for byte as Prometheus writes it.
 *
 * @returns the beginning of the room that was found, or bytes of a buffer that holds nothing else, so that it can be transferred
 */
export function writeQueryJson(result: QueryResult, extras: QueryJsonExtras = {}): Uint8Array {
  const limit = extras.limit ? extras.limit : Number.POSITIVE_INFINITY
  const expected = expectedBytes(result, limit)
  sharedFormatter ??= new NumberFormatter(ROOM_BYTES_MAX)
  const out = new ByteBuffer(expected, extras.findRoom?.(expected, allocateRoom))
  out.ascii(`{"status":"success","data":{"resultType":"${result.type}","result":`)
  const truncated = writeResult(out, sharedFormatter, result, limit, extras.onFilled)
  if (extras.stats) out.ascii(`,"stats":${statsJson(extras.stats, extras.queuedMs ?? 0)}`)
  out.ascii('}')
  const warnings = truncated ? ['results truncated due to limit'] : []
  writeAnnotations(out, 'warning', [...warnings, ...(extras.warnings ?? [])])
  writeAnnotations(out, 'info', extras.infos ?? [])
  out.ascii('}')
  return out.toBytes()
}

/** A guess on the high side: growing copies everything. */
function expectedBytes(result: QueryResult, limit: number): number {
  const frame = 1024
  if (result.type === 'vector') return frame + Math.min(result.samples.length, limit) * 256
  if (result.type !== 'matrix') return frame
  let sum = frame + BLOCK_POINTS * POINT_BYTES_MAX
  for (let i = 0; i < Math.min(result.series.length, limit); i++)
    sum += 256 + result.series[i]!.values.length * POINT_BYTES_USUAL
  return sum
}

/** @returns whether something was left out */
function writeResult(
  out: ByteBuffer,
  formatter: NumberFormatter,
  result: QueryResult,
  limit: number,
  onFilled: QueryJsonExtras['onFilled'],
): boolean {
  switch (result.type) {
    case 'vector':
      writeVector(out, formatter, result.samples, limit)
      return result.samples.length > limit
    case 'matrix':
      writeMatrix(out, formatter, result.series, limit, onFilled)
      return result.series.length > limit
    case 'scalar':
      // Another encoder than for vectors: the time is a plain JSON number and the value never has an exponent.
      out.ascii(`[${result.timestampMs / 1000},"${formatFloatPlain(result.value)}"]`)
      return false
    case 'string':
      out.utf8(`[${result.timestampMs / 1000},${htmlSafeJson(result.value)}]`)
      return false
  }
}

function writeVector(
  out: ByteBuffer,
  formatter: NumberFormatter,
  samples: readonly VectorSample[],
  limit: number,
): void {
  let timestampMs = new Float64Array(1)
  const value = new Float64Array(1)
  const count = Math.min(samples.length, limit)
  out.ascii('[')
  for (let i = 0; i < count; i++) {
    const sample = samples[i]!
    out.ascii(i === 0 ? '{"metric":' : ',{"metric":')
    writeLabels(out, sample.labels)
    if (sample.histogram !== undefined) {
      out.ascii(',"histogram":')
      writeHistogramPoint(out, sample.timestampMs, sample.histogram)
      out.ascii('}')
      continue
    }
    out.ascii(',"value":')
    // The formatter knows a column of times by the array.
    if (timestampMs[0] !== sample.timestampMs) timestampMs = Float64Array.of(sample.timestampMs)
    value[0] = sample.value
    writePoints(out, formatter, timestampMs, value)
    out.ascii('}')
  }
  out.ascii(']')
}

function writeMatrix(
  out: ByteBuffer,
  formatter: NumberFormatter,
  series: readonly MatrixSeries[],
  limit: number,
  onFilled: QueryJsonExtras['onFilled'],
): void {
  const count = Math.min(series.length, limit)
  let told = 0
  out.ascii('[')
  for (let i = 0; i < count; i++) {
    if (out.length - told >= FILLED_BYTES && out.isInRoom) {
      told = out.length
      onFilled?.(told)
    }
    const { labels, histograms } = series[i]!
    const { timestampsMs, values } = histograms === undefined ? series[i]! : floatPoints(series[i]!, histograms)
    out.ascii(i === 0 ? '{"metric":' : ',{"metric":')
    writeLabels(out, labels)
    if (values.length > 0) {
      out.ascii(',"values":[')
      writePoints(out, formatter, timestampsMs, values)
      out.ascii(']')
    }
    if (histograms !== undefined) writeHistograms(out, series[i]!.timestampsMs, histograms)
    out.ascii('}')
  }
  out.ascii(']')
}

/** The points that are no histograms. */
function floatPoints(
  { timestampsMs, values }: MatrixSeries,
  histograms: NonNullable<MatrixSeries['histograms']>,
): Pick<MatrixSeries, 'timestampsMs' | 'values'> {
  const isFloat = (_: number, point: number): boolean => histograms[point] === undefined
  return { timestampsMs: timestampsMs.filter(isFloat), values: values.filter(isFloat) }
}

function writeHistograms(
  out: ByteBuffer,
  timestampsMs: Float64Array,
  histograms: NonNullable<MatrixSeries['histograms']>,
): void {
  let open = ',"histograms":['
  histograms.forEach((histogram, point) => {
    if (histogram === undefined) return
    out.ascii(open)
    writeHistogramPoint(out, timestampsMs[point]!, histogram)
    open = ','
  })
  if (open === ',') out.ascii(']')
}

function writePoints(
  out: ByteBuffer,
  formatter: NumberFormatter,
  timestampsMs: Float64Array,
  values: Float64Array,
): void {
  for (let from = 0; from < values.length; from += BLOCK_POINTS) {
    const to = Math.min(from + BLOCK_POINTS, values.length)
    if (from > 0) out.ascii(',')
    out.reserve((to - from) * POINT_BYTES_MAX)
    out.length = formatter.writePoints(timestampsMs, values, { from, to }, out.bytes, out.length)
  }
}

/** Labels are sorted by name already. */
function writeLabels(out: ByteBuffer, labels: Labels): void {
  for (let i = 0; i < labels.length; i += 2) {
    out.ascii(i === 0 ? '{' : ',')
    out.jsonString(labels[i]!)
    out.ascii(':')
    out.jsonString(labels[i + 1]!)
  }
  out.ascii(labels.length === 0 ? '{}' : '}')
}

function writeAnnotations(out: ByteBuffer, kind: 'warning' | 'info', texts: readonly string[]): void {
  if (texts.length === 0) return
  const shown = texts.slice(0, ANNOTATIONS_MAX)
  const omitted = texts.length - shown.length
  if (omitted > 0) shown.push(`${omitted} more ${kind} annotations omitted`)
  out.utf8(`,"${kind}s":[${shown.map(htmlSafeJson).join(',')}]`)
}

function statsJson({ timings, samples, resolutions }: EvaluationStats, queuedMs: number): string {
  const execQueueTime = queuedMs / 1000
  return JSON.stringify({
    timings: {
      evalTotalTime: timings.evalTotalTime,
      resultSortTime: timings.resultSortTime,
      queryPreparationTime: timings.queryPreparationTime,
      innerEvalTime: timings.innerEvalTime,
      execQueueTime,
      execTotalTime: timings.evalTotalTime + execQueueTime,
    },
    samples: {
      totalQueryableSamplesPerStep: samples.totalQueryableSamplesPerStep?.map(([timeMs, count]) => [
        timeMs / 1000,
        count,
      ]),
      totalQueryableSamples: samples.totalQueryableSamples,
      peakSamples: samples.peakSamples,
    },
    resolutions: resolutions?.map(({ resolutionMs, minTimeMs, maxTimeMs, isUsed }) => ({
      resolution: formatDuration(resolutionMs),
      start: minTimeMs / 1000,
      end: maxTimeMs / 1000,
      used: isUsed,
    })),
  })
}

/** A JSON string as Go's own encoder writes it outside of labels: `<`, `>`, `&` and the exotic line ends are escaped. */
const htmlSafeJson = (text: string): string =>
  JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
