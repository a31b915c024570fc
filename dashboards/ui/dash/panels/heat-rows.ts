// Cells of a heat map: one row per bucket, one column per instant.
import { type Json, flagOf, numberOf, objectOf } from '../../../grafana/json.ts'
import type { PanelField } from '../panel-fields.ts'
import type { HistogramSeries } from '../panel-data.ts'

export interface HeatRows {
  readonly x: Float64Array
  /** Lowest bucket first: its name, or its upper end where it has one. */
  readonly rows: readonly { readonly name: string; readonly upper: number; readonly cells: Float64Array }[]
  readonly isBuckets: boolean
}

const CALC_ROWS = 24

/** Series that carry `le` are cumulative and are taken apart; others are buckets by their names. */
export function bucketRows(fields: readonly PanelField[]): HeatRows {
  const x = Float64Array.from(Array.from(fields[0]?.times ?? [], Number))
  const cumulative = fields.length > 0 && fields.every(({ field }) => field.labels.le !== undefined)
  const named = fields.map(({ field, settings }) => {
    const text = field.labels.le ?? settings.name
    const upper = text === '+Inf' || text === 'Inf' ? Number.POSITIVE_INFINITY : Number(text)
    return {
      name: text,
      upper,
      cells: Float64Array.from(Array.from(field.values, (cell) => (cell === null ? Number.NaN : Number(cell)))),
    }
  })
  const sortable = named.every(({ upper }) => !Number.isNaN(upper))
  const merged = cumulative ? sameBucketsAdded(named) : named
  if (sortable) merged.sort((a, b) => a.upper - b.upper)
  if (!cumulative) return { x, rows: merged, isBuckets: sortable }
  const rows = merged.map((row, i) => ({
    ...row,
    cells: i === 0 ? row.cells : row.cells.map((value, at) => Math.max(0, value - (merged[i - 1]!.cells[at] || 0))),
  }))
  return { x, rows, isBuckets: true }
}

function sameBucketsAdded(
  rows: readonly HeatRows['rows'][number][],
): { name: string; upper: number; cells: Float64Array }[] {
  const byUpper = new Map<number, { name: string; upper: number; cells: Float64Array }>()
  for (const row of rows) {
    const known = byUpper.get(row.upper)
    if (known === undefined) byUpper.set(row.upper, { ...row, cells: row.cells.slice() })
    else row.cells.forEach((value, i) => (known.cells[i] = (known.cells[i] || 0) + (value || 0)))
  }
  return [...byUpper.values()]
}

/** Counts the series' values in even bands over the value axis and in steps of time. */
export function calculatedRows(fields: readonly PanelField[], options: Json, columnsMax: number): HeatRows {
  const calculation = objectOf(options.calculation)
  const wanted = numberOf(objectOf(calculation.yBuckets).value)
  const count =
    objectOf(calculation.yBuckets).mode === 'size' || wanted === undefined
      ? CALC_ROWS
      : Math.min(100, Math.max(2, Math.round(wanted)))
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const { field } of fields) {
    for (let i = 0; i < field.values.length; i++) {
      const value = Number(field.values[i] ?? Number.NaN)
      if (!Number.isFinite(value)) continue
      if (value < min) min = value
      if (value > max) max = value
    }
  }
  const times = Array.from(fields[0]?.times ?? [], Number)
  if (!(max >= min) || times.length === 0) return { x: new Float64Array(), rows: [], isBuckets: true }
  const height = (max - min || Math.abs(max) || 1) / count
  const columns = Math.max(
    1,
    Math.min(columnsMax, numberOf(objectOf(calculation.xBuckets).value) ?? columnsMax, times.length),
  )
  const spanMs = Math.max(1, times.at(-1)! - times[0]!)
  const x = Float64Array.from({ length: columns }, (_, i) => times[0]! + (spanMs * i) / Math.max(columns - 1, 1))
  const rows = Array.from({ length: count }, (_, i) => {
    const upper = min + height * (i + 1)
    return { name: String(upper), upper, cells: new Float64Array(columns) }
  })
  for (const { field, times: own } of fields) {
    for (let i = 0; i < field.values.length; i++) {
      const value = Number(field.values[i] ?? Number.NaN)
      if (!Number.isFinite(value)) continue
      const column = Math.min(
        columns - 1,
        Math.max(0, Math.round(((Number(own?.[i] ?? 0) - times[0]!) / spanMs) * (columns - 1))),
      )
      rows[Math.min(count - 1, Math.floor((value - min) / height))]!.cells[column]! += 1
    }
  }
  return { x, rows, isBuckets: true }
}

/** Native histograms: every bucket that occurs becomes a row. */
export function nativeRows(series: readonly HistogramSeries[]): HeatRows {
  const times = [...new Set(series.flatMap(({ histograms }) => histograms.map(([seconds]) => seconds * 1000)))].sort(
    (a, b) => a - b,
  )
  const place = new Map(times.map((atMs, i) => [atMs, i]))
  const rows = new Map<string, { name: string; upper: number; cells: Float64Array }>()
  for (const { histograms } of series) {
    for (const [seconds, { buckets = [] }] of histograms) {
      for (const [, left, right, count] of buckets) {
        let row = rows.get(right)
        if (row === undefined) {
          row = { name: `${left} – ${right}`, upper: Number(right), cells: new Float64Array(times.length) }
          rows.set(right, row)
        }
        row.cells[place.get(seconds * 1000)!]! += Number(count)
      }
    }
  }
  return { x: Float64Array.from(times), rows: [...rows.values()].sort((a, b) => a.upper - b.upper), isBuckets: true }
}

export function wantsCalculation(options: Json): boolean {
  return flagOf(options.calculate)
}
