// States over time: unbroken stretches (state timeline) or one cell per point (status history).
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { readableOn, resolveColor } from '../../../grafana/colors.ts'
import { type Cell, isEmptyCell } from '../../../grafana/data-frame.ts'
import { displayText, mapValue } from '../../../grafana/field-settings.ts'
import { numberOf, objectOf } from '../../../grafana/json.ts'
import { paletteColor } from '../../../model/series-color.ts'
import { EmptyState } from '../../panel/states.tsx'
import { formatInstant } from '../../shell/format.ts'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { isHidden, ownColor, type PanelField, panelFields } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { PaintedCanvas } from './canvas.tsx'
import { AXIS_FONT, AXIS_INK, paintTimes } from './heatmap.tsx'

const ROWS_MAX = 100
const BOTTOM = 20
const RIGHT = 8

interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  readonly value: Cell
  readonly text: string
  readonly color: string
}

export function StateTimelinePanel({ panel, panelKey, title, data, widthPx }: PanelProps): JSX.Element {
  const shade = theme.value
  const zone = timeZone.value
  const merges = panel.type === 'state-timeline' && panel.options.mergeValues !== false
  const rows = useMemo(() => {
    const fields = panelFields(data.frames, panel.fieldConfig, zone).filter(
      (one) => one.field.type !== 'time' && one.times !== undefined && !isHidden(one),
    )
    const seen = new Map<string, number>()
    const colorOf = (one: PanelField, value: Cell, text: string) => {
      const mapped = mapValue(value, one.settings.mappings)?.color
      if (mapped !== undefined) return resolveColor(mapped, shade)
      const own =
        typeof value === 'number'
          ? ownColor(
              { ...one.settings, colorMode: one.settings.colorMode || 'thresholds' },
              value,
              [one.field.values],
              shade,
            )
          : undefined
      if (own !== undefined) return own
      if (!seen.has(text)) seen.set(text, seen.size)
      return paletteColor(seen.get(text)!, shade)
    }
    return fields.slice(0, ROWS_MAX).map((one) => ({
      name: one.settings.name,
      stretches: stretchesOf(one, merges, data.stepMs, (value, text) => colorOf(one, value, text)),
    }))
  }, [data, panel.fieldConfig, merges, shade, zone])
  if (rows.length === 0) return <EmptyState loading={false} />
  const left = Math.min(widthPx * 0.35, Math.max(60, ...rows.map(({ name }) => name.length * 6.4 + 14)))
  const { fromMs, toMs } = data.range
  const share = numberOf(panel.options.rowHeight) ?? 0.9
  const withText = objectOf(panel.options).showValue !== 'never'
  const place = (width: number, height: number) => ({
    plotWidth: width - left - RIGHT,
    rowPx: (height - BOTTOM) / rows.length,
  })
  const paint = (ctx: CanvasRenderingContext2D, width: number, height: number) => {
    const { plotWidth, rowPx } = place(width, height)
    const pxOf = (atMs: number) =>
      left + ((Math.min(toMs, Math.max(fromMs, atMs)) - fromMs) / (toMs - fromMs)) * plotWidth
    ctx.font = AXIS_FONT
    ctx.textBaseline = 'middle'
    rows.forEach(({ name, stretches }, row) => {
      const y = row * rowPx + (rowPx * (1 - share)) / 2
      const barPx = Math.max(2, rowPx * share)
      for (const stretch of stretches) {
        const from = pxOf(stretch.fromMs)
        const length = pxOf(stretch.toMs) - from
        if (length <= 0) continue
        ctx.fillStyle = stretch.color
        ctx.fillRect(from, y, Math.max(1, length - (merges || length < 4 ? 0.5 : 1.5)), barPx)
        if (withText && barPx > 13 && length > stretch.text.length * 6.2 + 8) {
          ctx.fillStyle = readableOn(stretch.color)
          ctx.textAlign = 'left'
          ctx.fillText(stretch.text, from + 5, y + barPx / 2)
        }
      }
      ctx.fillStyle = AXIS_INK[shade]
      ctx.textAlign = 'right'
      if (rowPx > 9 || row % Math.ceil(11 / rowPx) === 0)
        ctx.fillText(shortened(name, left), left - 7, (row + 0.5) * rowPx)
    })
    ctx.fillStyle = AXIS_INK[shade]
    paintTimes(ctx, { fromMs, toMs, left, width: plotWidth, y: height - BOTTOM + 11, zone })
  }
  const hover = (x: number, y: number, width: number, height: number) => {
    const { plotWidth, rowPx } = place(width, height)
    const row = rows[Math.floor(y / rowPx)]
    const atMs = fromMs + ((x - left) / plotWidth) * (toMs - fromMs)
    const found = row?.stretches.find((one) => atMs >= one.fromMs && atMs < one.toMs)
    if (row === undefined || found === undefined) return undefined
    return {
      head: `${formatInstant(found.fromMs, zone)} – ${formatInstant(found.toMs, zone)}`,
      rows: [{ color: found.color, name: row.name, text: found.text }],
    }
  }
  const now = rows.slice(0, 5).map(({ name, stretches }) => `${name}: ${stretches.at(-1)?.text ?? 'nothing'}`)
  return (
    <PaintedCanvas
      panelKey={panelKey}
      label={`${title}. States now: ${now.join(', ')}.`}
      content={[rows, shade, zone, left]}
      paint={paint}
      hover={hover}
    />
  )
}

function shortened(name: string, widthPx: number): string {
  const fits = Math.max(4, Math.floor((widthPx - 10) / 6))
  return name.length > fits ? `${name.slice(0, fits - 1)}…` : name
}

function stretchesOf(
  { field, settings, times }: PanelField,
  merges: boolean,
  stepMs: number,
  colorOf: (value: Cell, text: string) => string,
): Stretch[] {
  const out: { fromMs: number; toMs: number; value: Cell; text: string; color: string }[] = []
  const count = times!.length
  const ownStep = count > 1 ? Number(times![1]) - Number(times![0]) : stepMs
  for (let i = 0; i < count; i++) {
    const value = field.values[i] ?? null
    if (isEmptyCell(value)) continue
    const fromMs = Number(times![i])
    const last = out.at(-1)
    const text = displayText(value, field.type, settings)
    if (merges && last !== undefined && last.toMs === fromMs && last.text === text) last.toMs = fromMs + ownStep
    else out.push({ fromMs, toMs: fromMs + ownStep, value, text, color: colorOf(value, text) })
  }
  return out
}
