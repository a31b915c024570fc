// Columns for charts: one shared time axis, one value column per series, NaN where there is no value.

export type LabelSet = Readonly<Record<string, string>>

export interface Frame {
  /** Unix milliseconds, ascending, evenly spaced by the query's step. */
  readonly x: Float64Array
  readonly ys: readonly Float64Array[]
  readonly labels: readonly LabelSet[]
}

/** A range query's answer as the HTTP API sends it: seconds and numbers as text. */
export interface MatrixSeries {
  readonly metric: LabelSet
  readonly values?: readonly (readonly [number, string])[]
}

export function parseSampleValue(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

/** Columns that stand on a grid. Infinite values become gaps: no line can show them. */
export function frameFromColumns(
  series: readonly { readonly metric: LabelSet; readonly values: Float64Array }[],
  grid: { startMs: number; endMs: number; stepMs: number },
): Frame {
  const pointCount = Math.max(0, Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1)
  const x = Float64Array.from({ length: pointCount }, (_, i) => grid.startMs + i * grid.stepMs)
  const ys = series.map(({ values }) =>
    values.every((value) => Math.abs(value) !== Number.POSITIVE_INFINITY)
      ? values
      : values.map((value) => (Number.isFinite(value) ? value : Number.NaN)),
  )
  return { x, ys, labels: series.map(({ metric }) => metric) }
}

/** Running sums over the series, bottom first. A missing value adds nothing; an instant nobody has stays a gap. */
export function stackColumns(ys: readonly Float64Array[]): Float64Array[] {
  const pointCount = ys[0]?.length ?? 0
  const sum = new Float64Array(pointCount)
  const present = new Uint8Array(pointCount)
  for (const y of ys) for (let i = 0; i < pointCount; i++) if (!Number.isNaN(y[i]!)) present[i] = 1
  return ys.map((y) => {
    const stacked = new Float64Array(pointCount)
    for (let i = 0; i < pointCount; i++) {
      if (!Number.isNaN(y[i]!)) sum[i]! += y[i]!
      stacked[i] = present[i] === 1 ? sum[i]! : Number.NaN
    }
    return stacked
  })
}

export interface ColumnStats {
  readonly last: number
  readonly min: number
  readonly mean: number
  readonly max: number
}

/** All NaN where the column has no value. `last` is the newest value there is. */
export function columnStats(y: Float64Array): ColumnStats {
  let last = Number.NaN
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let sum = 0
  let count = 0
  for (const value of y) {
    if (Number.isNaN(value)) continue
    last = value
    if (value < min) min = value
    if (value > max) max = value
    sum += value
    count++
  }
  return count === 0
    ? { last, min: Number.NaN, mean: Number.NaN, max: Number.NaN }
    : { last, min, mean: sum / count, max }
}

/** Smallest and largest finite value of all columns; `[Infinity, -Infinity]` where there is none. */
export function columnsExtent(ys: readonly Float64Array[]): [min: number, max: number] {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const y of ys) {
    for (const value of y) {
      if (value < min) min = value
      if (value > max) max = value
    }
  }
  return [min, max]
}

/** Index of the grid point nearest to an instant, −1 for an empty axis. */
export function nearestIndex(x: Float64Array, atMs: number): number {
  const count = x.length
  if (count < 2) return count - 1
  const first = x[0]!
  const stepMs = x[1]! - first
  return Math.min(count - 1, Math.max(0, Math.round((atMs - first) / stepMs)))
}
