// Lines, bars and points over time with a legend.
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { resolveColor } from '../../../grafana/colors.ts'
import { displayText, type FieldSettings } from '../../../grafana/field-settings.ts'
import { type Json, listOf, numberOf, objectOf, textOf } from '../../../grafana/json.ts'
import { formatValue } from '../../../model/units.ts'
import type { Theme } from '../../../model/series-color.ts'
import type { ChartContent, SeriesStyle, ValueAxisStyle } from '../../chart/chart-host.ts'
import { ChartView } from '../../chart/chart-view.tsx'
import { DataTable } from '../../panel/data-table.tsx'
import { EmptyState } from '../../panel/states.tsx'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { isHidden, type PanelField, panelFields, seriesColors } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { DashLegend, type LegendRow } from './legend.tsx'
import { joinSeries } from './series-frame.ts'

const SERIES_MAX = 500
/** With more lines than this they are drawn thin. */
const THICK_LINES_MAX = 8

export function TimeSeriesPanel(props: PanelProps): JSX.Element {
  const { panel, panelKey, title, data, events, asTable, heightPx } = props
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const shade = theme.value
  const zone = timeZone.value
  const prepared = useMemo(() => {
    const fields = panelFields(data.frames, panel.fieldConfig, zone)
      .filter((one) => one.field.type === 'number' && one.times !== undefined && !isHidden(one))
      .slice(0, SERIES_MAX)
    const joined = joinSeries(fields)
    return {
      fields,
      joined: {
        ...joined,
        frame: { ...joined.frame, ys: joined.frame.ys.map((y, i) => withZeros(y, fields[i]!.settings.custom)) },
      },
    }
  }, [data, panel.fieldConfig, zone])
  const { fields, joined } = prepared
  const colors = useMemo(() => seriesColors(fields, shade), [fields, shade])
  const content = useMemo(
    () =>
      fields.length === 0
        ? undefined
        : chartContent({ fields, joined, colors, hidden, range: data.range, theme: shade, zone }),
    [fields, joined, colors, hidden, data.range, shade, zone],
  )
  const legend = objectOf(panel.options.legend)
  if (content === undefined) return <EmptyState loading={false} />
  const names = fields.map(({ settings }) => settings.name)
  const rows = fields.map(
    ({ settings, field }, i): LegendRow => ({
      name: settings.name,
      color: colors[i]!,
      values: field.values,
      format: content.styles[i]!.format,
      isShown: objectOf(settings.custom.hideFrom).legend !== true,
    }),
  )
  const mode = textOf(objectOf(panel.options.tooltip).mode, 'multi')
  const shownLegend = legend.showLegend !== false && legend.displayMode !== 'hidden' && heightPx > 110
  return (
    <div class={`with-legend legend-${legend.placement === 'right' ? 'right' : 'bottom'}`}>
      {asTable ? (
        <DataTable
          title={title}
          frame={joined.frame}
          names={names}
          unit={fields[0]!.settings.unit || 'short'}
          zone={zone}
        />
      ) : (
        <ChartView panelId={panelKey} label={title} content={content} names={names} events={events} tooltip={mode} />
      )}
      {shownLegend && <DashLegend title={title} rows={rows} options={legend} hidden={hidden} onHidden={setHidden} />}
    </div>
  )
}

function withZeros(y: Float64Array, custom: Json): Float64Array {
  return custom.nullsAsZero === true ? y.map((value) => (Number.isNaN(value) ? 0 : value)) : y
}

interface ContentInput {
  readonly fields: readonly PanelField[]
  readonly joined: ReturnType<typeof joinSeries>
  readonly colors: readonly string[]
  readonly hidden: ReadonlySet<string>
  readonly range: { readonly fromMs: number; readonly toMs: number }
  readonly theme: Theme
  readonly zone: ChartContent['zone']
}

function chartContent({ fields, joined, colors, hidden, range, theme: shade, zone }: ContentInput): ChartContent {
  const sides = axisSides(fields)
  const styles = fields.map((one, i) =>
    seriesStyle(one, {
      color: colors[i]!,
      visible: !hidden.has(one.settings.name),
      axis: sides[i]!,
      stepMs: joined.stepsMs[i]!,
      isCrowded: fields.length > THICK_LINES_MAX,
    }),
  )
  const left = fields.filter((_, i) => sides[i] === 'y').map(({ settings }) => settings)
  const right = fields.filter((_, i) => sides[i] === 'y2').map(({ settings }) => settings)
  const percent = fields.some(({ settings }) => objectOf(settings.custom.stacking).mode === 'percent')
  const lead = (left[0] ?? right[0])!
  const style = textOf(objectOf(lead.custom.thresholdsStyle).mode, 'off')
  const steps = lead.thresholdsInPercent ? [] : lead.thresholds.filter(({ value }) => Number.isFinite(value))
  return {
    frame: joined.frame,
    styles,
    ...range,
    y: {
      ...axisStyle(left.length > 0 ? left : right, percent),
      hidden: left.every(({ custom }) => custom.axisPlacement === 'hidden'),
    },
    y2: right.length === 0 ? undefined : axisStyle(right, percent),
    percent,
    limits:
      style.includes('line') || style.includes('dashed')
        ? steps.map(({ value, color }) => ({
            value,
            color: resolveColor(color, shade),
            dashed: style.includes('dashed'),
          }))
        : [],
    bands: style.includes('area')
      ? lead.thresholds
          .map(({ value, color }, i) => ({
            from: value,
            to: lead.thresholds[i + 1]?.value ?? Number.POSITIVE_INFINITY,
            color: resolveColor(color, shade),
          }))
          .filter(({ from }) => Number.isFinite(from))
      : [],
    theme: shade,
    zone,
  }
}

/** The right axis is for what says so, and for series of another unit than the first. */
function axisSides(fields: readonly PanelField[]): ('y' | 'y2')[] {
  const first = fields.find(({ settings }) => settings.custom.axisPlacement !== 'right')?.settings.unit
  return fields.map(({ settings }) => {
    const { axisPlacement } = settings.custom
    if (axisPlacement === 'right') return 'y2'
    if (axisPlacement === 'left' || axisPlacement === 'hidden') return 'y'
    return settings.unit === first ? 'y' : 'y2'
  })
}

const CURVES: Readonly<Record<string, SeriesStyle['curve']>> = {
  stepBefore: 'stepBefore',
  stepAfter: 'stepAfter',
  smooth: 'smooth',
}

function seriesStyle(
  { settings, field }: PanelField,
  place: { color: string; visible: boolean; axis: 'y' | 'y2'; stepMs: number; isCrowded: boolean },
): SeriesStyle {
  const { color, visible, axis, stepMs, isCrowded } = place
  const { custom } = settings
  const stacking = objectOf(custom.stacking)
  const draw = custom.drawStyle === 'bars' ? 'bars' : custom.drawStyle === 'points' ? 'points' : 'line'
  const line = objectOf(custom.lineStyle)
  const dash = listOf(line.dash).map(Number)
  const span = custom.spanNulls === true ? Number.MAX_SAFE_INTEGER : (numberOf(custom.spanNulls) ?? 0)
  return {
    color,
    visible,
    axis,
    mirrored: custom.transform === 'negative-Y',
    draw,
    curve: CURVES[textOf(custom.lineInterpolation)] ?? 'linear',
    widthPx: lineWidth(custom, isCrowded),
    fill: (numberOf(custom.fillOpacity) ?? (draw === 'bars' ? 60 : 0)) / 100,
    points: custom.showPoints === 'always' ? 'always' : custom.showPoints === 'never' ? 'never' : 'auto',
    pointPx: numberOf(custom.pointSize) ?? 4,
    dash: line.fill === 'dash' ? (dash.length > 0 ? dash : [10, 10]) : line.fill === 'dot' ? [1, 4] : [],
    spanMs: Math.max(span, stepMs),
    stack: stacking.mode === 'normal' || stacking.mode === 'percent' ? textOf(stacking.group, 'A') : undefined,
    format: (value) =>
      displayText(value, field.type, { ...settings, unit: settings.unit === '' ? 'short' : settings.unit }),
  }
}

/** A hairline on today's screens is hard to see: one pixel is drawn a little wider, unless many lines would run together. */
function lineWidth(custom: Json, isCrowded: boolean): number {
  const width = numberOf(custom.lineWidth) ?? 1
  return width === 1 && !isCrowded ? 1.4 : width
}

function axisStyle(all: readonly FieldSettings[], percent: boolean): ValueAxisStyle {
  const lead = all[0]!
  const { custom } = lead
  const find = (pick: (settings: FieldSettings) => number | undefined) => all.map(pick).find((one) => one !== undefined)
  const unit = percent ? 'percentunit' : lead.unit === '' ? 'short' : lead.unit
  return {
    unit,
    format: (value) => formatValue(value, unit, lead.decimals),
    log: objectOf(custom.scaleDistribution).type === 'log',
    hidden: false,
    label: textOf(all.map((one) => one.custom.axisLabel).find((label) => textOf(label) !== '')),
    min: percent ? undefined : find(({ min }) => min),
    max: percent ? 1 : find(({ max }) => max),
    softMin: find((one) => numberOf(one.custom.axisSoftMin)),
    softMax: find((one) => numberOf(one.custom.axisSoftMax)),
  }
}
