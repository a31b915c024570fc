// Asks a panel's queries and turns the answers into frames.
import type { DashPanel, Target } from '../../grafana/dashboard.ts'
import {
  columnFrames,
  type DataFrame,
  type FrameRequest,
  sampleFrames,
  seriesFrames,
  tableFrame,
} from '../../grafana/data-frame.ts'
import { interpolate, type Scope } from '../../grafana/interpolate.ts'
import {
  builtInScope,
  intervalScope,
  scrapedBy,
  type TargetIntervals,
  targetIntervals,
} from '../../grafana/target-interval.ts'
import { applyTransformations } from '../../grafana/transform.ts'
import { tryParseDuration } from '../../model/interval.ts'
import type { LabelSet } from '../../model/frame.ts'
import type { ResolvedRange } from '../../model/time-range.ts'
import { parseInstant } from '../../model/time-range.ts'
import { type ColumnMemory, queryNewColumns } from '../api/columns.ts'
import { type Grid, queryInstant, queryRange } from '../api/prometheus.ts'
import { scrapeIntervalOf } from '../state/catalog.ts'
import { filteredExpr } from './adhoc-filter.ts'

export interface NativeHistogram {
  readonly buckets?: readonly (readonly [boundary: number, left: string, right: string, count: string])[]
}

export interface HistogramSeries {
  readonly metric: LabelSet
  readonly histograms: readonly (readonly [seconds: number, histogram: NativeHistogram])[]
}

export interface AskedQuery {
  readonly refId: string
  readonly expr: string
  readonly stepMs: number
}

export interface PanelData {
  readonly frames: readonly DataFrame[]
  readonly histograms: readonly HistogramSeries[]
  readonly range: ResolvedRange
  readonly stepMs: number
  readonly asked: readonly AskedQuery[]
  readonly notes: readonly string[]
}

export interface PanelRequest {
  readonly panel: DashPanel
  readonly scope: Scope
  readonly range: ResolvedRange
  readonly widthPx: number
  readonly timezone: string
}

/** A panel's request with what it was answered before. */
export interface LivePanelRequest extends PanelRequest {
  readonly memory: ColumnMemory
}

const POINTS_MAX = 4000

/** The range a panel shows: its own where it has one, shifted where it says so. */
export function panelRange({ panel, scope, range }: Pick<PanelRequest, 'panel' | 'scope' | 'range'>): ResolvedRange {
  const from = interpolate(panel.timeFrom, scope)
  const shiftMs = tryParseDuration(interpolate(panel.timeShift, scope)) ?? 0
  const relative =
    from === '' ? undefined : parseInstant(from.startsWith('now') ? from : `now-${from}`, range.toMs, 'from', 'browser')
  return { fromMs: (relative ?? range.fromMs) - shiftMs, toMs: range.toMs - shiftMs }
}

export async function loadPanel(request: LivePanelRequest, signal: AbortSignal): Promise<PanelData> {
  const { panel } = request
  const range = panelRange(request)
  const targets = panel.targets.filter(({ hide, expr }) => !hide && expr.trim() !== '')
  const tables = targets.filter(({ format }) => format === 'table').length
  const answers = await Promise.all(
    targets.map((target) => askTarget(target, { ...request, range }, tables > 1, signal)),
  )
  const { frames, unknown } = applyTransformations(
    answers.flatMap((answer) => answer.frames),
    panel.transformations,
  )
  const warnings = [...new Set(answers.flatMap((answer) => answer.warnings))]
  return {
    frames,
    histograms: answers.flatMap((answer) => answer.histograms),
    range,
    stepMs: Math.max(...answers.map(({ asked }) => asked.stepMs), 1000),
    asked: answers.map(({ asked }) => asked),
    notes: [...warnings, ...unknown.map((id) => `The transformation “${id}” is not known here and was left out.`)],
  }
}

function wholeMs({ startMs, endMs, stepMs }: Grid): Grid {
  return { startMs: Math.round(startMs), endMs: Math.round(endMs), stepMs: Math.max(1, Math.round(stepMs)) }
}

interface TargetAnswer {
  readonly frames: readonly DataFrame[]
  readonly histograms: readonly HistogramSeries[]
  readonly asked: AskedQuery
  readonly warnings: readonly string[]
}

/** The expression of a query with everything filled in, and the steps it is asked at. */
export function expandTarget(
  target: Target,
  { panel, scope, range, widthPx, timezone }: PanelRequest,
): { expr: string; intervals: TargetIntervals } {
  const builtIn = builtInScope({ ...range, timezone, dashboard: '' })
  const known = new Map([...builtIn, ...scope])
  const targetMin = target.interval.includes('__rate_interval') ? target.interval : interpolate(target.interval, known)
  const plain = interpolate(target.expr, known, 'promql')
  const intervals = targetIntervals({
    ...range,
    pointsMax: Math.min(POINTS_MAX, panel.maxDataPoints ?? widthPx),
    scrapeIntervalMs: scrapeIntervalOf(scrapedBy(plain)),
    targetMin,
    panelMin: interpolate(panel.interval, known),
    factor: target.intervalFactor,
  })
  return { expr: filteredExpr(interpolate(plain, intervalScope(intervals), 'promql'), scope), intervals }
}

async function askTarget(
  target: Target,
  request: LivePanelRequest,
  severalTables: boolean,
  signal: AbortSignal,
): Promise<TargetAnswer> {
  const { expr, intervals } = expandTarget(target, request)
  const wanted: FrameRequest = { refId: target.refId, expr, legend: interpolate(target.legend, request.scope, 'text') }
  const asked = { refId: target.refId, expr, stepMs: intervals.stepMs }
  const valueName = severalTables ? `Value #${target.refId}` : 'Value'
  const frames: DataFrame[] = []
  const histograms: HistogramSeries[] = []
  const warnings: string[] = []
  // Tables show samples one by one, and native histograms have more to them than columns hold.
  const columns =
    target.range && target.format !== 'table'
      ? await queryNewColumns(expr, wholeMs(intervals), signal, { memory: request.memory, place: target.refId })
      : undefined
  if (columns !== undefined && !columns.hasHistograms) {
    warnings.push(...columns.warnings, ...columns.infos)
    frames.push(...columnFrames(columns.series, wanted, wholeMs(intervals)))
  } else if (target.range) {
    const answer = await queryRange(expr, intervals, signal)
    warnings.push(...answer.warnings)
    for (const one of answer.data) {
      const { histograms: native } = one as { histograms?: HistogramSeries['histograms'] }
      if (native !== undefined) histograms.push({ metric: one.metric, histograms: native })
    }
    const floats = answer.data.filter(({ values }) => values !== undefined)
    frames.push(
      ...(target.format === 'table'
        ? [
            tableFrame(
              floats.map(({ metric, values = [] }) => ({ metric, values })),
              target.refId,
              valueName,
            ),
          ]
        : seriesFrames(floats, wanted, intervals)),
    )
  }
  if (target.instant) {
    const { data, warnings: more } = await queryInstant(expr, request.range.toMs, signal)
    warnings.push(...more)
    const samples =
      data.resultType === 'vector'
        ? data.result
        : data.resultType === 'scalar'
          ? [{ metric: {}, value: data.result }]
          : data.resultType === 'string'
            ? []
            : data.result.map(({ metric, values = [] }) => ({ metric, value: values.at(-1)! }))
    frames.push(
      ...(target.format === 'table'
        ? [
            tableFrame(
              samples
                .filter(({ value }) => value !== undefined)
                .map(({ metric, value }) => ({ metric, values: [value!] })),
              target.refId,
              valueName,
            ),
          ]
        : sampleFrames(samples as { metric: LabelSet; value?: readonly [number, string] }[], wanted)),
    )
  }
  return { frames, histograms, asked, warnings }
}
