// Asks the queries of a panel and puts the answers into one frame.
import type { BoardPanel, BoardQuery } from '../../model/board.ts'
import { type Frame, frameFromColumns, type LabelSet } from '../../model/frame.ts'
import { alignRange, expandIntervals, panelIntervals, type PanelIntervals } from '../../model/interval.ts'
import {
  assignColors,
  type ColorMeaning,
  labelKey,
  meaningColor,
  paletteColor,
  type Theme,
} from '../../model/series-color.ts'
import { commonLabelNames, seriesName } from '../../model/series-name.ts'
import type { ResolvedRange } from '../../model/time-range.ts'
import { type ColumnMemory, queryColumns, queryNewColumns } from '../api/columns.ts'
import { type Grid, queryVector, type VectorSample } from '../api/prometheus.ts'

/** One point per this many pixels is as fine as a line can show. */
const PX_PER_POINT = 1.5

export interface LinesData {
  readonly frame: Frame
  readonly names: readonly string[]
  readonly mirrored: readonly boolean[]
  readonly filled: readonly boolean[]
  readonly colors: readonly (number | ColorMeaning)[]
  readonly range: ResolvedRange
  readonly warnings: readonly string[]
}

export interface QueryContext {
  readonly range: ResolvedRange
  readonly widthPx: number
  readonly scrapeIntervalMs: number
}

export function intervalsOf({ range, widthPx, scrapeIntervalMs }: QueryContext): PanelIntervals {
  return panelIntervals({ ...range, pointsMax: Math.max(60, Math.round(widthPx / PX_PER_POINT)), scrapeIntervalMs })
}

/** @param memory what the same queries were answered before, where only what is new is to be asked for */
export async function loadLines(
  queries: readonly BoardQuery[],
  context: QueryContext,
  signal: AbortSignal,
  memory?: ColumnMemory,
): Promise<LinesData> {
  const intervals = intervalsOf(context)
  const { fromMs, toMs } = context.range
  const grid: Grid = { ...alignRange(fromMs, toMs, intervals.stepMs), stepMs: intervals.stepMs }
  const answers = await Promise.all(
    queries.map(({ expr }, i) => {
      const expanded = expandIntervals(expr, intervals)
      return memory === undefined
        ? queryColumns(expanded, grid, signal)
        : queryNewColumns(expanded, grid, signal, { memory, place: String(i) })
    }),
  )
  const series = answers.flatMap((answer, i) => answer.series.map((one) => ({ ...one, query: queries[i]! })))
  const common = commonLabelNames(series.map(({ metric }) => metric))
  return {
    frame: frameFromColumns(series, grid),
    names: series.map(({ metric, query }) => seriesName(metric, query.legend, common)),
    mirrored: series.map(({ query }) => query.mirrored === true),
    filled: series.map(({ query }) => query.unfilled !== true),
    colors: seriesColors(series),
    range: context.range,
    warnings: [...new Set(answers.flatMap(({ warnings, infos }) => [...warnings, ...infos]))],
  }
}

/** A query's own colour where it names one, else by the labels. A hue the panel already uses by name is not given again. */
function seriesColors(series: readonly { metric: LabelSet; query: BoardQuery }[]): (number | ColorMeaning)[] {
  const hashed = assignColors(series.map(({ metric }) => labelKey(metric)))
  return series.map(({ query }, i) => query.color ?? hashed[i]!)
}

export function colorOf(color: number | ColorMeaning, theme: Theme): string {
  return typeof color === 'number' ? paletteColor(color, theme) : meaningColor(color, theme)
}

export interface TableRow {
  readonly labels: LabelSet
  /** One per query, NaN where the query has no such row. */
  readonly values: readonly number[]
}

/** Instant answers of all queries, joined by the labels in `by` (all labels where it is absent); rows are those of the first. */
export async function loadRows(
  panel: BoardPanel,
  by: readonly string[] | undefined,
  context: QueryContext,
  signal: AbortSignal,
): Promise<TableRow[]> {
  const intervals = intervalsOf(context)
  const answers = await Promise.all(
    panel.queries.map(({ expr }) => queryVector(expandIntervals(expr, intervals), context.range.toMs, signal)),
  )
  const keyOf = (metric: LabelSet) =>
    labelKey(by === undefined ? metric : Object.fromEntries(by.map((name) => [name, metric[name] ?? ''])))
  const columns = answers.map(
    (samples) => new Map(samples.map((sample) => [keyOf(sample.metric), sampleNumber(sample)])),
  )
  return (answers[0] ?? []).map(({ metric }) => ({
    labels: metric,
    values: columns.map((column) => column.get(keyOf(metric)) ?? Number.NaN),
  }))
}

function sampleNumber({ value }: VectorSample): number {
  return value === undefined ? Number.NaN : Number(value[1])
}
