import type { JSX } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import type { LinesPanel } from '../../model/board.ts'
import { formatValue } from '../../model/units.ts'
import { meaningColor } from '../../model/series-color.ts'
import type { ChartContent } from '../chart/chart-host.ts'
import type { ColumnMemory } from '../api/columns.ts'
import { ChartView } from '../chart/chart-view.tsx'
import { useLive } from '../state/live.ts'
import { theme } from '../state/theme.ts'
import { rangeKey, shownRange, timeZone } from '../state/time.ts'
import { DataTable } from './data-table.tsx'
import { Legend } from './legend.tsx'
import { colorOf, type LinesData, loadLines } from './panel-data.ts'
import type { BodyProps } from './panel-view.tsx'
import { EmptyState, StaleNote } from './states.tsx'

const LINE_PX = 1.5
const STACK_LINE_PX = 1
const LINE_FILL = 0.14
const STACK_FILL = 0.4

export function LinesBody({ panel, active, widthPx, scrapeIntervalMs, asTable }: BodyProps<LinesPanel>): JSX.Element {
  const range = shownRange.value
  const memory = useRef<ColumnMemory>(new Map()).current
  const exprs = panel.queries.map(({ expr }) => expr)
  const { data, error, loading } = useLive(
    (abort) => loadLines(panel.queries, { range, widthPx, scrapeIntervalMs }, abort, memory),
    [exprs, rangeKey.value, widthPx, scrapeIntervalMs],
    { active },
  )
  if (data === undefined || data.frame.ys.length === 0)
    return <EmptyState error={error} loading={loading && data === undefined} />
  return (
    <>
      <LinesChart
        panelId={panel.id}
        title={panel.title}
        data={data}
        unit={panel.unit}
        stack={panel.stack === true}
        fill={panel.fill === true}
        log={panel.log === true}
        min={panel.min}
        max={panel.max}
        warn={panel.thresholds?.warn}
        crit={panel.thresholds?.crit}
        asTable={asTable}
      />
      <StaleNote error={error} />
    </>
  )
}

interface ChartProps {
  panelId: string
  title: string
  data: LinesData
  unit: string
  stack: boolean
  fill: boolean
  log: boolean
  min?: number | undefined
  max?: number | undefined
  warn?: number | undefined
  crit?: number | undefined
  asTable: boolean
  onZoom?: (fromMs: number, toMs: number) => void
}

/** A chart with its legend: click a series to see it alone, with Ctrl to take it out. */
export function LinesChart(props: ChartProps): JSX.Element {
  const { panelId, title, data, unit, stack, fill, log, min, max, warn, crit, asTable, onZoom } = props
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const colors = useMemo(() => data.colors.map((color) => colorOf(color, theme.value)), [data, theme.value])
  const content = useMemo<ChartContent>(
    () => ({
      frame: data.frame,
      styles: data.names.map((name, i) => ({
        color: colors[i]!,
        visible: !hidden.has(name),
        mirrored: data.mirrored[i]!,
        draw: 'line',
        curve: 'linear',
        widthPx: stack ? STACK_LINE_PX : LINE_PX,
        fill: fill && data.filled[i]! ? (stack ? STACK_FILL : LINE_FILL) : 0,
        points: 'auto',
        pointPx: 4,
        dash: [],
        spanMs: 0,
        stack: stack ? 'all' : undefined,
        axis: 'y',
        format: (value) => formatValue(value, unit),
      })),
      fromMs: data.range.fromMs,
      toMs: data.range.toMs,
      y: { unit, format: (value) => formatValue(value, unit), log, hidden: false, label: '', softMin: min, cap: max },
      percent: false,
      limits: [
        ...(warn === undefined ? [] : [{ value: warn, color: meaningColor('warn', theme.value), dashed: true }]),
        ...(crit === undefined ? [] : [{ value: crit, color: meaningColor('crit', theme.value), dashed: true }]),
      ],
      bands: [],
      theme: theme.value,
      zone: timeZone.value,
    }),
    [data, colors, hidden, unit, stack, fill, log, min, max, warn, crit, timeZone.value],
  )
  return (
    <>
      {asTable ? (
        <DataTable title={title} frame={data.frame} names={data.names} unit={unit} zone={timeZone.value} />
      ) : (
        <ChartView
          panelId={panelId}
          label={title}
          content={content}
          names={data.names}
          {...(onZoom ? { onZoom } : {})}
        />
      )}
      <Legend title={title} data={data} colors={colors} unit={unit} hidden={hidden} onHidden={setHidden} />
    </>
  )
}
