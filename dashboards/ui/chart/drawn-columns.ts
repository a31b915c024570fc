// The columns of a chart as they are drawn: hidden ones left out, mirrored ones negated, gaps bridged, stacks summed.
import { stackColumns } from '../../model/frame.ts'
import type { ChartContent, SeriesStyle } from './chart-host.ts'

export interface DrawnColumn {
  /** Of the frame. */
  readonly index: number
  readonly y: Float64Array
  /** The column it stands on, where it is stacked on one. */
  readonly below: Float64Array | undefined
  readonly style: SeriesStyle
}

const KNOWN = new WeakMap<ChartContent, readonly DrawnColumn[]>()

/** Bottom of each stack first. Computed once per content. */
export function drawnColumns(content: ChartContent): readonly DrawnColumn[] {
  let drawn = KNOWN.get(content)
  if (drawn === undefined) {
    drawn = compute(content)
    KNOWN.set(content, drawn)
  }
  return drawn
}

function compute({ frame, styles, percent, y, y2 }: ChartContent): DrawnColumn[] {
  const stacks = new Map<string, number[]>()
  const out: DrawnColumn[] = []
  frame.ys.forEach((_, i) => {
    const style = styles[i]
    if (style === undefined || !style.visible) return
    const key = style.stack === undefined ? `#${i}` : `${style.axis} ${style.mirrored} ${style.stack}`
    const members = stacks.get(key)
    if (members === undefined) stacks.set(key, [i])
    else members.push(i)
  })
  for (const members of stacks.values()) {
    const single = styles[members[0]!]!.stack === undefined
    const columns = members.map((i) => shaped(frame.x, frame.ys[i]!, styles[i]!))
    const stacked = single ? columns : stackColumns(percent ? shares(columns) : columns)
    members.forEach((index, place) => {
      const style = styles[index]!
      const isLog = (style.axis === 'y2' ? y2 : y)?.log === true
      const column = isLog ? stacked[place]!.map(logOrGap) : stacked[place]!
      const below = !single && place > 0 ? (isLog ? stacked[place - 1]!.map(logOrGap) : stacked[place - 1]!) : undefined
      out.push({ index, y: column, below, style })
    })
  }
  return out
}

function logOrGap(value: number): number {
  return value > 0 ? Math.log10(value) : Number.NaN
}

function shaped(x: Float64Array, y: Float64Array, { mirrored, spanMs }: SeriesStyle): Float64Array {
  let out = y
  // An infinite value has no place on an axis.
  for (let i = 0; i < y.length; i++) {
    if (Number.isFinite(y[i]!) || Number.isNaN(y[i]!)) continue
    out = y.map((value) => (Number.isFinite(value) ? value : Number.NaN))
    break
  }
  if (mirrored) out = out.map((value) => -value)
  return spanMs > 0 ? bridged(x, out, spanMs) : out
}

/** Straight lines over gaps that are short enough. */
function bridged(x: Float64Array, y: Float64Array, spanMs: number): Float64Array {
  const out = y.slice()
  let last = -1
  for (let i = 0; i < y.length; i++) {
    if (Number.isNaN(y[i]!)) continue
    if (last >= 0 && i - last > 1 && x[i]! - x[last]! <= spanMs) {
      for (let gap = last + 1; gap < i; gap++) {
        out[gap] = y[last]! + ((y[i]! - y[last]!) * (x[gap]! - x[last]!)) / (x[i]! - x[last]!)
      }
    }
    last = i
  }
  return out
}

function shares(columns: readonly Float64Array[]): Float64Array[] {
  const count = columns[0]?.length ?? 0
  const totals = new Float64Array(count)
  for (const y of columns) for (let i = 0; i < count; i++) if (!Number.isNaN(y[i]!)) totals[i]! += Math.abs(y[i]!)
  return columns.map((y) => y.map((value, i) => (totals[i]! === 0 ? 0 : value / totals[i]!)))
}
