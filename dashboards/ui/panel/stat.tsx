import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { severityOf, type StatPanel } from '../../model/board.ts'
import { columnStats, columnsExtent } from '../../model/frame.ts'
import { linePath, pathLengthMax } from '../../model/line-path.ts'
import { meaningColor, paletteColor } from '../../model/series-color.ts'
import { formatValue } from '../../model/units.ts'
import type { ColumnMemory } from '../api/columns.ts'
import { useLive } from '../state/live.ts'
import { theme } from '../state/theme.ts'
import { rangeKey, shownRange } from '../state/time.ts'
import { type LinesData, loadLines } from './panel-data.ts'
import type { BodyProps } from './panel-view.tsx'
import { EmptyState } from './states.tsx'

const PADDING_PX = 3

export function StatBody({ panel, active, widthPx, scrapeIntervalMs }: BodyProps<StatPanel>): JSX.Element {
  const range = shownRange.value
  const memory = useRef<ColumnMemory>(new Map()).current
  const { data, error, loading } = useLive(
    (abort) => loadLines(panel.queries.slice(0, 1), { range, widthPx, scrapeIntervalMs }, abort, memory),
    [panel.queries[0]?.expr, rangeKey.value, widthPx, scrapeIntervalMs],
    { active },
  )
  const y = data?.frame.ys[0]
  if (data === undefined || y === undefined) {
    if (panel.emptyText !== undefined && !loading && error === undefined)
      return <p class="stat-value">{panel.emptyText}</p>
    return <EmptyState error={error} loading={loading && data === undefined} />
  }
  const { last } = columnStats(y)
  const severity = severityOf(last, panel.thresholds)
  const color = severity === 'ok' ? paletteColor(0, theme.value) : meaningColor(severity, theme.value)
  return (
    <>
      <p class={`stat-value stat-${severity}`}>{formatValue(last, panel.unit)}</p>
      <Sparkline data={data} color={color} />
    </>
  )
}

/** A bare line on a canvas: a chart with axes would be a waste at this size. */
export function Sparkline({ data, color }: { data: Pick<LinesData, 'frame' | 'range'>; color: string }): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    const canvas = ref.current!
    const paint = () => paintSparkline(canvas, data, color)
    const observer = new ResizeObserver(paint)
    observer.observe(canvas)
    paint()
    return () => observer.disconnect()
  }, [data, color])
  return <canvas class="sparkline" ref={ref} aria-hidden="true" />
}

function paintSparkline(
  canvas: HTMLCanvasElement,
  { frame, range }: Pick<LinesData, 'frame' | 'range'>,
  color: string,
): void {
  const y = frame.ys[0]
  const { clientWidth: width, clientHeight: height } = canvas
  const ctx = canvas.getContext('2d')
  if (y === undefined || ctx === null || width === 0) return
  canvas.width = Math.round(width * devicePixelRatio)
  canvas.height = Math.round(height * devicePixelRatio)
  ctx.scale(devicePixelRatio, devicePixelRatio)
  const [min, max] = columnsExtent([y])
  // Small wobbles of a large value stay small: the line's height is at least a tenth of the value.
  const span = Math.max(max - min, Math.abs(max) * 0.1) || 1
  const low = (min + max - span) / 2
  const scaleY = -(height - 2 * PADDING_PX) / span
  const scaleX = width / (range.toMs - range.fromMs)
  const path = new Float64Array(pathLengthMax(y.length))
  const length = linePath(
    frame.x,
    y,
    { scale: scaleX, offset: -range.fromMs * scaleX },
    { scale: scaleY, offset: height - PADDING_PX - low * scaleY },
    path,
  )
  ctx.strokeStyle = color
  ctx.fillStyle = color
  ctx.lineWidth = 1.5
  ctx.lineJoin = 'round'
  ctx.beginPath()
  for (let i = 0; i < length; i += 2) {
    if (Number.isNaN(path[i]!)) continue
    if (i === 0 || Number.isNaN(path[i - 2]!)) ctx.moveTo(path[i]!, path[i + 1]!)
    else ctx.lineTo(path[i]!, path[i + 1]!)
  }
  ctx.stroke()
  if (length < 2) return
  ctx.beginPath()
  ctx.arc(Math.min(path[length - 2]!, width - 2), path[length - 1]!, 2, 0, 2 * Math.PI)
  ctx.fill()
}
