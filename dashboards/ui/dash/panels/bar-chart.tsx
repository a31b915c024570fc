// Bars by category, and counts of values by size.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { type Cell, isEmptyCell } from '../../../grafana/data-frame.ts'
import { displayText } from '../../../grafana/field-settings.ts'
import { numberOf, textOf } from '../../../grafana/json.ts'
import { valueAxis } from '../../../model/ticks.ts'
import { formatValue } from '../../../model/units.ts'
import { EmptyState } from '../../panel/states.tsx'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { isHidden, type PanelField, panelFields, seriesColors } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { PaintedCanvas } from './canvas.tsx'
import { AXIS_FONT, AXIS_INK } from './heatmap.tsx'

const LEFT = 62
const BOTTOM = 22
const TOP = 8
const CATEGORIES_MAX = 200

interface Bars {
  readonly categories: readonly string[]
  readonly series: readonly {
    readonly name: string
    readonly color: string
    readonly values: readonly number[]
    readonly format: (value: number) => string
  }[]
  readonly unit: string
}

export function BarChartPanel(props: PanelProps): JSX.Element {
  const { panel, data } = props
  const shade = theme.value
  const zone = timeZone.value
  const bars = useMemo<Bars>(() => {
    const all = panelFields(data.frames, panel.fieldConfig, zone).filter((one) => !isHidden(one))
    const frame = data.frames.find(({ fields }) => fields.some(({ type }) => type === 'string'))
    const numbers = all.filter((one) => one.field.type === 'number' && (frame === undefined || one.frame === frame))
    const colors = seriesColors(numbers, shade)
    const wanted = textOf(panel.options.xField)
    const names =
      frame === undefined
        ? undefined
        : all.find(
            (one) =>
              one.frame === frame && (wanted === '' ? one.field.type === 'string' : one.settings.name === wanted),
          )
    const series = (one: PanelField, i: number) => ({
      name: one.settings.name,
      color: colors[i]!,
      values: Array.from(one.field.values, number).slice(0, CATEGORIES_MAX),
      format: (value: number) => displayText(value, 'number', one.settings),
    })
    const unit = numbers[0]?.settings.unit || 'short'
    if (names !== undefined) {
      return {
        categories: Array.from(names.field.values, (value) =>
          displayText(value, names.field.type, names.settings),
        ).slice(0, CATEGORIES_MAX),
        series: numbers.map(series),
        unit,
      }
    }
    // Without a column of names each series is a category with its newest value.
    return {
      categories: numbers.map(({ settings }) => settings.name),
      series: [
        {
          name: 'Value',
          color: colors[0] ?? 'gray',
          values: numbers.map((one) =>
            number(Array.from(one.field.values).findLast((cell) => !isEmptyCell(cell)) ?? null),
          ),
          format: (value) => displayText(value, 'number', numbers[0]!.settings),
        },
      ],
      unit,
    }
  }, [data, panel.fieldConfig, panel.options, shade, zone])
  return <BarsCanvas {...props} bars={bars} stacked={textOf(panel.options.stacking, 'none') !== 'none'} />
}

export function HistogramPanel(props: PanelProps): JSX.Element {
  const { panel, data } = props
  const shade = theme.value
  const zone = timeZone.value
  const bars = useMemo<Bars>(() => {
    const numbers = panelFields(data.frames, panel.fieldConfig, zone).filter(
      (one) => one.field.type === 'number' && !isHidden(one),
    )
    const all = numbers.flatMap(({ field }) => Array.from(field.values, number)).filter(Number.isFinite)
    if (all.length === 0) return { categories: [], series: [], unit: 'short' }
    const unit = numbers[0]!.settings.unit || 'short'
    const { width, from, count } = bucketsOf(
      all,
      numberOf(panel.options.bucketSize),
      numberOf(panel.options.bucketCount),
    )
    const together = panel.options.combine === true || numbers.length === 1
    const groups = together
      ? [{ name: 'Count', values: all }]
      : numbers.map(({ field, settings }) => ({
          name: settings.name,
          values: Array.from(field.values, number).filter(Number.isFinite),
        }))
    const colors = seriesColors(numbers, shade)
    return {
      categories: Array.from({ length: count }, (_, i) => formatValue(from + i * width, unit)),
      series: groups.map(({ name, values }, i) => {
        const counts = Array.from({ length: count }, () => 0)
        for (const value of values) counts[Math.min(count - 1, Math.max(0, Math.floor((value - from) / width)))]!++
        return { name, color: colors[i]!, values: counts, format: (value) => String(value) }
      }),
      unit: 'short',
    }
  }, [data, panel.fieldConfig, panel.options, shade, zone])
  return <BarsCanvas {...props} bars={bars} stacked />
}

function number(cell: Cell): number {
  return isEmptyCell(cell) ? Number.NaN : Number(cell)
}

function bucketsOf(
  values: readonly number[],
  size: number | undefined,
  wanted: number | undefined,
): { width: number; from: number; count: number } {
  let min = values[0]!
  let max = values[0]!
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  const rough = size ?? ((max - min) / (wanted ?? 30) || Math.abs(max) || 1)
  const power = 10 ** Math.floor(Math.log10(rough))
  const width = size ?? [1, 2, 5, 10].find((factor) => factor * power >= rough)! * power
  const from = Math.floor(min / width) * width
  return { width, from, count: Math.min(400, Math.max(1, Math.floor((max - from) / width) + 1)) }
}

function BarsCanvas({ panelKey, title, bars, stacked }: PanelProps & { bars: Bars; stacked: boolean }): JSX.Element {
  const shade = theme.value
  const { categories, series, unit } = bars
  if (categories.length === 0 || series.length === 0) return <EmptyState loading={false} />
  const totals = categories.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] || 0), 0))
  const every = series.flatMap(({ values }) => values.filter(Number.isFinite))
  const axis = valueAxis(Math.min(0, ...every), Math.max(0, ...(stacked ? totals : every)), 5)
  const paint = (ctx: CanvasRenderingContext2D, width: number, height: number) => {
    const plot = { width: width - LEFT - 8, height: height - TOP - BOTTOM }
    const yOf = (value: number) => TOP + plot.height * (1 - (value - axis.min) / (axis.max - axis.min))
    ctx.font = AXIS_FONT
    ctx.textBaseline = 'middle'
    for (const tick of axis.ticks) {
      ctx.fillStyle = shade === 'dark' ? '#242a34' : '#e6e9ee'
      ctx.fillRect(LEFT, Math.round(yOf(tick)), plot.width, 1)
      ctx.fillStyle = AXIS_INK[shade]
      ctx.textAlign = 'right'
      ctx.fillText(formatValue(tick, unit), LEFT - 6, yOf(tick))
    }
    const slot = plot.width / categories.length
    const bar = Math.min(90, (slot * 0.8) / (stacked ? 1 : series.length))
    const labelEvery = Math.max(
      1,
      Math.ceil((Math.max(...categories.map(({ length }) => Math.min(length, 14))) * 6.4 + 10) / slot),
    )
    categories.forEach((name, i) => {
      const middle = LEFT + slot * (i + 0.5)
      let base = 0
      series.forEach(({ values, color }, at) => {
        const value = values[i]!
        if (Number.isNaN(value)) return
        const left = stacked ? middle - bar / 2 : middle - (bar * series.length) / 2 + at * bar
        const [from, to] = stacked ? [yOf(base), yOf(base + value)] : [yOf(0), yOf(value)]
        ctx.fillStyle = color
        ctx.fillRect(left, Math.min(from, to), Math.max(1, bar - 1), Math.abs(to - from))
        if (stacked) base += value
      })
      if (i % labelEvery !== 0) return
      ctx.fillStyle = AXIS_INK[shade]
      ctx.textAlign = 'center'
      ctx.fillText(name.length > 14 ? `${name.slice(0, 13)}…` : name, middle, height - BOTTOM + 12)
    })
  }
  const hover = (x: number, _y: number, width: number) => {
    const i = Math.floor(((x - LEFT) / (width - LEFT - 8)) * categories.length)
    if (i < 0 || i >= categories.length) return undefined
    return {
      head: categories[i]!,
      rows: series.map(({ name, color, values, format }) => ({ color, name, text: format(values[i]!) })),
    }
  }
  const label = `${title}. ${categories
    .slice(0, 6)
    .map((name, i) => `${name}: ${series[0]!.format(series[0]!.values[i]!)}`)
    .join(', ')}`
  return (
    <div class="with-legend legend-bottom">
      <PaintedCanvas panelKey={panelKey} label={label} content={[bars, shade]} paint={paint} hover={hover} />
      {series.length > 1 && (
        <ul class="legend-list">
          {series.map(({ name, color }, i) => (
            <li key={i}>
              <span class="swatch" style={{ background: color }} /> <span class="series-name">{name}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
