// Brings the series of several frames onto one time axis.
import type { Frame } from '../../../model/frame.ts'
import type { PanelField } from '../panel-fields.ts'

export interface JoinedSeries {
  readonly frame: Frame
  /** Per series: how far its own points are apart, beyond which a gap is a gap. */
  readonly stepsMs: readonly number[]
}

const UNION_MAX = 20_000

export function joinSeries(fields: readonly PanelField[]): JoinedSeries {
  const axes = fields.map(({ times }) =>
    times instanceof Float64Array ? times : Float64Array.from(Array.from(times ?? [], Number)),
  )
  const stepsMs = axes.map((x) => (x.length > 1 ? x[1]! - x[0]! : 0))
  const labels = fields.map(({ field }) => field.labels)
  const first = axes[0] ?? new Float64Array()
  if (axes.every((x) => x === first || sameAxis(x, first))) {
    return {
      frame: { x: first, ys: fields.map(({ field }) => numbers(field.values)), labels },
      stepsMs: stepsMs.map(() => 0),
    }
  }
  const x = Float64Array.from(
    [...new Set(axes.flatMap((axis) => Array.from(axis)))].sort((a, b) => a - b).slice(-UNION_MAX),
  )
  const place = new Map(Array.from(x, (atMs, i) => [atMs, i]))
  const ys = fields.map(({ field }, at) => {
    const y = new Float64Array(x.length).fill(Number.NaN)
    const own = axes[at]!
    for (let i = 0; i < own.length; i++) {
      const to = place.get(own[i]!)
      if (to !== undefined) y[to] = cellNumber(field.values[i])
    }
    return y
  })
  return { frame: { x, ys, labels }, stepsMs }
}

function sameAxis(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function numbers(values: ArrayLike<unknown>): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(Array.from(values, cellNumber))
}

function cellNumber(value: unknown): number {
  return value === null || value === undefined || value === '' ? Number.NaN : Number(value)
}
