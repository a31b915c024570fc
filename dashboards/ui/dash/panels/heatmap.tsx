// Heat maps: buckets over time, painted cell by cell.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { heatColors } from '../../../grafana/colors.ts'
import { numberOf, objectOf, textOf } from '../../../grafana/json.ts'
import { formatValue } from '../../../model/units.ts'
import { timeTicks } from '../../../model/ticks.ts'
import type { TimeZone } from '../../../model/zone.ts'
import type { Theme } from '../../../model/series-color.ts'
import { EmptyState } from '../../panel/states.tsx'
import { formatInstant } from '../../shell/format.ts'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { isHidden, panelFields } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { PaintedCanvas } from './canvas.tsx'
import { bucketRows, calculatedRows, type HeatRows, nativeRows, wantsCalculation } from './heat-rows.ts'

const LEFT = 62
const BOTTOM = 20
const RIGHT = 8
const TOP = 6
const STEPS = 64
export const AXIS_INK: Readonly<Record<Theme, string>> = { light: '#5a6472', dark: '#8d97a7' }
export const AXIS_FONT = '10.5px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif'

export function HeatmapPanel({ panel, panelKey, title, data, widthPx }: PanelProps): JSX.Element {
  const { options } = panel
  const shade = theme.value
  const zone = timeZone.value
  const heat = useMemo<HeatRows>(() => {
    const fields = panelFields(data.frames, panel.fieldConfig, zone).filter(
      (one) => one.field.type === 'number' && one.times !== undefined && !isHidden(one),
    )
    if (data.histograms.length > 0) return nativeRows(data.histograms)
    return wantsCalculation(options)
      ? calculatedRows(fields, options, Math.max(20, Math.floor(widthPx / 12)))
      : bucketRows(fields)
  }, [data, panel.fieldConfig, options, widthPx, zone])
  if (heat.rows.length === 0 || heat.x.length === 0) return <EmptyState loading={false} />
  const yAxis = objectOf(options.yAxis)
  const unit = textOf(yAxis.unit) || textOf(panel.fieldConfig.defaults.unit) || 'short'
  const color = objectOf(options.color)
  const top = numberOf(color.max) ?? largest(heat)
  const exponent = numberOf(color.exponent) ?? 0.5
  const colors = heatColors(textOf(color.scheme, 'Oranges'), shade, STEPS, color.reverse === true)
  const name = (row: number) =>
    heat.isBuckets && Number.isFinite(heat.rows[row]!.upper)
      ? formatValue(heat.rows[row]!.upper, unit, numberOf(yAxis.decimals))
      : heat.rows[row]!.name
  const { fromMs, toMs } = data.range
  const paint = (ctx: CanvasRenderingContext2D, width: number, height: number) => {
    const plot = { left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM }
    const pxOf = (atMs: number) => plot.left + ((atMs - fromMs) / (toMs - fromMs)) * plot.width
    const stepMs = heat.x.length > 1 ? heat.x[1]! - heat.x[0]! : toMs - fromMs
    const rowPx = plot.height / heat.rows.length
    ctx.save()
    ctx.beginPath()
    ctx.rect(plot.left, plot.top, plot.width, plot.height)
    ctx.clip()
    heat.rows.forEach(({ cells }, row) => {
      const y = plot.top + plot.height - (row + 1) * rowPx
      for (let i = 0; i < cells.length; i++) {
        const value = cells[i]!
        if (!(value > 0)) continue
        const [r, g, b] = colors[Math.min(STEPS - 1, Math.floor((value / top) ** exponent * (STEPS - 1)))]!
        ctx.fillStyle = `rgb(${r} ${g} ${b})`
        const left = pxOf(heat.x[i]! - stepMs / 2)
        ctx.fillRect(
          Math.floor(left),
          Math.floor(y),
          Math.ceil(pxOf(heat.x[i]! + stepMs / 2) - left),
          Math.ceil(rowPx) - (rowPx > 6 ? 1 : 0),
        )
      }
    })
    ctx.restore()
    ctx.fillStyle = AXIS_INK[shade]
    ctx.font = AXIS_FONT
    const every = Math.max(1, Math.ceil((16 * heat.rows.length) / plot.height))
    ctx.textAlign = 'right'
    ctx.textBaseline = 'middle'
    for (let row = 0; row < heat.rows.length; row += every) {
      ctx.fillText(name(row).slice(0, 12), LEFT - 6, plot.top + plot.height - (row + 0.5) * rowPx, LEFT - 8)
    }
    paintTimes(ctx, { fromMs, toMs, left: plot.left, width: plot.width, y: height - BOTTOM + 11, zone })
  }
  const hover = (x: number, y: number, width: number, height: number) => {
    const atMs = fromMs + ((x - LEFT) / (width - LEFT - RIGHT)) * (toMs - fromMs)
    const row = Math.floor(((height - BOTTOM - y) / (height - TOP - BOTTOM)) * heat.rows.length)
    if (row < 0 || row >= heat.rows.length || atMs < fromMs || atMs > toMs) return undefined
    const stepMs = heat.x.length > 1 ? heat.x[1]! - heat.x[0]! : 1
    const i = Math.min(heat.x.length - 1, Math.max(0, Math.round((atMs - heat.x[0]!) / stepMs)))
    const value = heat.rows[row]!.cells[i]!
    const ink = colors[Math.min(STEPS - 1, Math.floor((Math.max(0, value || 0) / top) ** exponent * (STEPS - 1)))]!
    return {
      head: formatInstant(heat.x[i]!, zone),
      rows: [
        {
          color: `rgb(${ink.join(' ')})`,
          name: `${row > 0 ? `${name(row - 1)} – ` : '≤ '}${name(row)}`,
          text: formatValue(value, 'short'),
        },
      ],
    }
  }
  return (
    <PaintedCanvas
      panelKey={panelKey}
      label={`${title}. Heat map of ${heat.rows.length} buckets, the largest cell ${formatValue(top, 'short')}.`}
      content={[heat, shade, zone, unit, options]}
      paint={paint}
      hover={hover}
    />
  )
}

function largest({ rows }: HeatRows): number {
  let max = 0
  for (const { cells } of rows) for (const value of cells) if (value > max && Number.isFinite(value)) max = value
  return max || 1
}

/** Marks of the time axis below a plot. */
export function paintTimes(
  ctx: CanvasRenderingContext2D,
  {
    fromMs,
    toMs,
    left,
    width,
    y,
    zone,
  }: { fromMs: number; toMs: number; left: number; width: number; y: number; zone: TimeZone },
): void {
  ctx.textAlign = 'center'
  for (const { atMs, label } of timeTicks(fromMs, toMs, Math.max(2, Math.floor(width / 72)), zone)) {
    const px = left + ((atMs - fromMs) / (toMs - fromMs)) * width
    if (px > left + 14 && px < left + width - 14) ctx.fillText(label, px, y)
  }
}
