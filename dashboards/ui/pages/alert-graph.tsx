// The value that a rule watches, with the limit it is held against.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type LimitedExpr, splitLimit } from '../../model/alert-expr.ts'
import { frameFromColumns, type LabelSet } from '../../model/frame.ts'
import { alignRange, panelIntervals } from '../../model/interval.ts'
import { assignColors, labelKey } from '../../model/series-color.ts'
import { commonLabelNames, seriesName } from '../../model/series-name.ts'
import { queryColumns } from '../api/columns.ts'
import { LinesChart } from '../panel/lines.tsx'
import type { LinesData } from '../panel/panel-data.ts'
import { scrapeIntervalMs } from '../state/catalog.ts'
import { useLive } from '../state/live.ts'
import { dataStartMs, startsLate } from '../state/time.ts'

const SPANS = { '15m': 900_000, '1h': 3_600_000, '6h': 21_600_000, '1d': 86_400_000 } as const
const POINTS_MAX = 360
const SERIES_MAX = 20
const SPAN_MIN_MS = 90_000

interface Props {
  expr: string
  /** Only series that carry no other value of these labels; absent = all. */
  labels?: LabelSet
  id: string
}

export function AlertGraph({ expr, labels, id }: Props): JSX.Element {
  const [span, setSpan] = useState<keyof typeof SPANS>('15m')
  const limited = splitLimit(expr)
  const { data, error, loading } = useLive(
    (abort) => loadCourse(limited?.expr ?? expr, SPANS[span], labels, abort),
    [expr, span, labels],
  )
  return (
    <div class="alert-graph">
      <div class="alert-graph-head">
        <span class="dim">
          {limited === undefined ? 'The expression' : `Limit ${limited.operator} ${limited.limit}`}
        </span>
        <span class="chips" role="group" aria-label="Span of the graph">
          {(Object.keys(SPANS) as (keyof typeof SPANS)[]).map((name) => (
            <button key={name} type="button" class="chip" aria-pressed={span === name} onClick={() => setSpan(name)}>
              {name}
            </button>
          ))}
        </span>
      </div>
      {data === undefined || data.frame.ys.length === 0 ? (
        <p class="state">{error ?? (loading && data === undefined ? 'Loading…' : 'No value in this range')}</p>
      ) : (
        <LinesChart
          panelId={id}
          title="Value of the rule's expression"
          data={data}
          unit="short"
          stack={false}
          fill={false}
          log={false}
          crit={limitLine(limited)}
          asTable={false}
        />
      )}
    </div>
  )
}

function limitLine(limited: LimitedExpr | undefined): number | undefined {
  return limited === undefined || limited.operator === '!=' ? undefined : limited.limit
}

async function loadCourse(
  expr: string,
  spanMs: number,
  labels: LabelSet | undefined,
  signal: AbortSignal,
): Promise<LinesData> {
  const toMs = Date.now()
  // A young store is not shown with a wide gap before it.
  const firstMs = startsLate.peek() ? Math.min(dataStartMs.peek() ?? 0, toMs - SPAN_MIN_MS) : 0
  const range = { fromMs: Math.max(toMs - spanMs, firstMs), toMs }
  const { stepMs } = panelIntervals({ ...range, pointsMax: POINTS_MAX, scrapeIntervalMs: scrapeIntervalMs() ?? 15_000 })
  const grid = { ...alignRange(range.fromMs, range.toMs, stepMs), stepMs }
  const { series: all, warnings } = await queryColumns(expr, grid, signal)
  const series = all.filter(({ metric }) => labels === undefined || belongs(metric, labels)).slice(0, SERIES_MAX)
  const common = commonLabelNames(series.map(({ metric }) => metric))
  return {
    frame: frameFromColumns(series, grid),
    names: series.map(({ metric }) => (series.length === 1 ? 'value' : seriesName(metric, undefined, common))),
    mirrored: series.map(() => false),
    filled: series.map(() => true),
    colors: assignColors(series.map(({ metric }) => labelKey(metric))),
    range,
    warnings,
  }
}

/** Labels that the rule adds or replaces are not those of the series; all others must agree. */
function belongs({ __name__: _, ...metric }: LabelSet, labels: LabelSet): boolean {
  const shared = Object.entries(metric).filter(([name]) => labels[name] !== undefined)
  return shared.every(([name, value]) => labels[name] === value)
}
