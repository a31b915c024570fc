/** Answers of range queries as columns on one grid of times, for programs that draw them: docs/formats/query-columns.md. */
import { Packr } from 'msgpackr'
import { type NativeHistogram, writeStaleNaN } from '../../model/index.ts'
import type { Evaluation, MatrixSeries } from '../../promql/index.ts'

export interface ColumnGrid {
  readonly startMs: number
  readonly stepMs: number
  /** Points of every column. */
  readonly count: number
}

const packr = new Packr({ useRecords: false, variableMapSize: true })

/** The answer of one query, packed. @param limit of series, 0 = none */
export function packColumns({ result, warnings, infos }: Evaluation, grid: ColumnGrid, limit: number): Uint8Array {
  const all = result.type === 'matrix' ? result.series : []
  const series = limit > 0 ? all.slice(0, limit) : all
  const cut = series.length < all.length ? ['results truncated due to limit'] : []
  return packr.pack({
    series: series.map((one) => columnOf(one, grid)),
    warnings: [...cut, ...warnings],
    infos,
  })
}

/** Several packed answers behind the description of their grid: one array. */
export function packAnswers(grid: ColumnGrid, answers: readonly Uint8Array[]): Buffer {
  const count = answers.length + 1
  // The header of an array with a 16-bit length.
  const header = Uint8Array.of(0xdc, count >>> 8, count & 0xff)
  return Buffer.concat([header, packr.pack(grid), ...answers])
}

/** What stands in place of an answer that failed. */
export const packFailure = (error: { errorType: string; error: string }): Uint8Array => packr.pack(error)

function columnOf({ labels, timestampsMs, values, histograms }: MatrixSeries, { startMs, stepMs, count }: ColumnGrid) {
  const column = new Float64Array(count)
  const packed: { index: number; histogram: object }[] = []
  let at = 0
  for (let i = 0; i < timestampsMs.length; i++) {
    const index = Math.round((timestampsMs[i]! - startMs) / stepMs)
    for (; at < index; at++) writeStaleNaN(column, at)
    column[at++] = values[i]!
    const histogram = histograms?.[i]
    if (histogram !== undefined) packed.push({ index, histogram: plainHistogram(histogram) })
  }
  for (; at < count; at++) writeStaleNaN(column, at)
  return { labels, values: bytesOf(column), ...(packed.length > 0 ? { histograms: packed } : {}) }
}

const plainHistogram = (histogram: NativeHistogram): object => ({
  ...histogram,
  positiveBuckets: bytesOf(histogram.positiveBuckets),
  negativeBuckets: bytesOf(histogram.negativeBuckets),
  customBounds: bytesOf(histogram.customBounds),
})

const bytesOf = (values: Float64Array): Uint8Array => Buffer.from(values.buffer, values.byteOffset, values.byteLength)
