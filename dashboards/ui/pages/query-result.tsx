// The answer to a query: chart or table, what it cost, and what the server says against it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatDuration } from '../../../model/duration.ts'
import { frameFromColumns, type LabelSet } from '../../model/frame.ts'
import type { QueryPanel } from '../../model/graph-url.ts'
import { faultOf } from '../../model/query-fault.ts'
import { assignColors, labelKey } from '../../model/series-color.ts'
import { formatSeries } from '../../model/series-name.ts'
import { queryColumns } from '../api/columns.ts'
import { type InstantResult, type QueryAnswer, queryInstant, type SeriesResult } from '../api/prometheus.ts'
import { LinesChart } from '../panel/lines.tsx'
import type { LinesData } from '../panel/panel-data.ts'
import { formatInstant } from '../shell/format.ts'
import { gridOf } from '../query/grid.ts'
import { useLive } from '../state/live.ts'
import { timeZone } from '../state/time.ts'

const ROWS_MAX = 1000
const SERIES_MAX = 200

interface ResultProps {
  panel: QueryPanel
  runs: number
}

export function GraphResult({
  index,
  panel,
  runs,
  onChange,
}: ResultProps & { index: number; onChange: (panel: QueryPanel) => void }): JSX.Element {
  const { data, error, loading } = useLive(
    (abort) => loadGraph(panel, abort),
    [panel.expr, panel.rangeMs, panel.endMs, panel.stepMs, runs],
    { live: false },
  )
  const [asTable, setAsTable] = useState(false)
  return (
    <div class={loading ? 'result loading' : 'result'}>
      <QueryNotes expr={panel.expr} error={error} answer={data?.answer} />
      {data !== undefined && error === undefined && (
        <>
          <p class="stats">
            {`${data.answer.stats.seriesCount} series, ${Math.round(data.answer.stats.tookMs)} ms, a point every ${formatDuration(data.stepMs)}`}
            <button type="button" class="link-button" onClick={() => setAsTable(!asTable)}>
              {asTable ? 'Show chart' : 'Show values'}
            </button>
          </p>
          {data.lines.frame.ys.length === 0 ? (
            <p class="state">No data in this range</p>
          ) : (
            <div class="query-chart">
              <LinesChart
                panelId={`g${index}`}
                title={panel.expr}
                data={data.lines}
                unit="short"
                stack={panel.stacked}
                fill={panel.stacked}
                log={false}
                asTable={asTable}
                onZoom={(fromMs, toMs) =>
                  onChange({
                    ...panel,
                    endMs: Math.round(toMs),
                    rangeMs: Math.max(1000, Math.round((toMs - fromMs) / 1000) * 1000),
                  })
                }
              />
            </div>
          )}
          {data.answer.stats.seriesCount > SERIES_MAX && (
            <p class="notice notice-warn">{`Only the first ${SERIES_MAX} of ${data.answer.stats.seriesCount} series are drawn.`}</p>
          )}
        </>
      )}
      {data === undefined && error === undefined && <p class="state">Asking…</p>}
    </div>
  )
}

async function loadGraph(panel: QueryPanel, signal: AbortSignal) {
  const toMs = panel.endMs ?? Date.now()
  const fromMs = toMs - panel.rangeMs
  const grid = gridOf({ ...panel, endMs: toMs })
  const { stepMs } = grid
  const startedMs = performance.now()
  const { series: all, warnings, infos } = await queryColumns(panel.expr, grid, signal)
  const answer = { warnings, infos, stats: { seriesCount: all.length, tookMs: performance.now() - startedMs } }
  const series = all.slice(0, SERIES_MAX)
  const lines: LinesData = {
    frame: frameFromColumns(series, grid),
    names: series.map(({ metric }) => formatSeries(metric)),
    mirrored: series.map(() => false),
    filled: series.map(() => true),
    colors: assignColors(series.map(({ metric }) => labelKey(metric))),
    range: { fromMs, toMs },
    warnings: [],
  }
  return { answer, lines, stepMs }
}

export function TableResult({ panel, runs }: ResultProps): JSX.Element {
  const { data, error, loading } = useLive(
    (abort) => queryInstant(panel.expr, panel.momentMs, abort),
    [panel.expr, panel.momentMs, runs],
    {
      live: false,
    },
  )
  return (
    <div class={loading ? 'result loading' : 'result'}>
      <QueryNotes expr={panel.expr} error={error} answer={data} />
      {data !== undefined && error === undefined && (
        <>
          <p class="stats">{`${data.stats.seriesCount} ${data.stats.seriesCount === 1 ? 'result' : 'results'}, ${Math.round(data.stats.tookMs)} ms`}</p>
          <InstantTable result={data.data} />
        </>
      )}
      {data === undefined && error === undefined && <p class="state">Asking…</p>}
    </div>
  )
}

function InstantTable({ result }: { result: InstantResult }): JSX.Element {
  if (result.resultType === 'scalar' || result.resultType === 'string') {
    return (
      <p class="scalar mono">
        {result.resultType} {result.result[1]}
      </p>
    )
  }
  if (result.result.length === 0) return <p class="state">Empty result</p>
  return (
    <div class="table-scroll results" tabIndex={0} role="group" aria-label="Result">
      <table class="grid">
        <tbody>
          {resultRows(result).map(({ metric, values }, i) => (
            <ResultRow key={i} metric={metric} values={values} />
          ))}
        </tbody>
      </table>
      {result.result.length > ROWS_MAX && <p class="more">{`and ${result.result.length - ROWS_MAX} more`}</p>}
    </div>
  )
}

function resultRows(result: SeriesResult): { metric: LabelSet; values: string[] }[] {
  if (result.resultType === 'vector') {
    return result.result
      .slice(0, ROWS_MAX)
      .map(({ metric, value, histogram }) => ({ metric, values: [value?.[1] ?? JSON.stringify(histogram)] }))
  }
  return result.result.slice(0, ROWS_MAX).map(({ metric, values = [] }) => ({
    metric,
    values: values.map(([at, value]) => `${value} @ ${formatInstant(at * 1000, timeZone.value)}`),
  }))
}

function ResultRow({ metric, values }: { metric: LabelSet; values: readonly string[] }): JSX.Element {
  const { __name__: name = '', ...labels } = metric
  const entries = Object.entries(labels)
  return (
    <tr>
      <td class="mono series-cell">
        <span class="token-function">{name}</span>
        {(entries.length > 0 || name === '') && '{'}
        {entries.map(([label, value], i) => (
          <span key={label}>
            {i > 0 && ', '}
            <span class="token-label">{label}</span>=<span class="token-string">{JSON.stringify(value)}</span>
          </span>
        ))}
        {(entries.length > 0 || name === '') && '}'}
      </td>
      <td class="num mono">
        {values.map((value, i) => (
          <div key={i}>{value}</div>
        ))}
      </td>
    </tr>
  )
}

/** Errors with their place in the text, warnings and remarks of the server. */
function QueryNotes({
  expr,
  error,
  answer,
}: {
  expr: string
  error: string | undefined
  answer: Pick<QueryAnswer<unknown>, 'warnings' | 'infos'> | undefined
}): JSX.Element {
  const fault = error === undefined ? undefined : faultOf(expr, error)
  return (
    <>
      {error !== undefined && (
        <div class="notice notice-crit query-error" role="alert">
          <p>{error}</p>
          {fault !== undefined && (
            <pre>{`${expr.split('\n')[fault.line - 1]}\n${' '.repeat(fault.column - 1)}${'^'.repeat(Math.max(1, fault.to - fault.from))}`}</pre>
          )}
        </div>
      )}
      {error === undefined &&
        [...(answer?.warnings ?? []), ...(answer?.infos ?? [])].map((text) => (
          <p key={text} class="notice notice-warn" role="status">
            {text}
          </p>
        ))}
    </>
  )
}
