// Ask anything: any number of expressions, each as a table of one instant or a graph over a range.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatDuration } from '../../../model/duration.ts'
import type { LabelSet } from '../../model/frame.ts'
import { decodeGraphUrl, EMPTY_PANEL, encodeGraphUrl, type QueryPanel } from '../../model/graph-url.ts'
import { alignRange, roundInterval, tryParseDuration } from '../../model/interval.ts'
import { formatSeries } from '../../model/series-name.ts'
import { parseInstant } from '../../model/time-range.ts'
import { frameFromMatrix } from '../../model/frame.ts'
import { assignColors, labelKey } from '../../model/series-color.ts'
import { type InstantResult, type QueryAnswer, queryInstant, queryRange, type SeriesResult } from '../api/prometheus.ts'
import { LinesChart } from '../panel/lines.tsx'
import type { LinesData } from '../panel/panel-data.ts'
import { formatInstant } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { navigate, pageHref, route } from '../state/route.ts'
import { timeZone } from '../state/time.ts'
import { QueryEditor } from './query-editor.tsx'

const GRAPH_POINTS = 250
const ROWS_MAX = 1000
const SERIES_MAX = 200

export function QueryPage(): JSX.Element {
  const decoded = decodeGraphUrl(route.value.search)
  const panels = decoded.length === 0 ? [EMPTY_PANEL] : decoded
  const write = (next: readonly QueryPanel[], replace = false) =>
    navigate(pageHref('/query', encodeGraphUrl(next)), { replace })
  const change = (i: number, panel: QueryPanel) => write(panels.map((one, at) => (at === i ? panel : one)))
  return (
    <Page title="Query">
      {panels.map((panel, i) => (
        <PanelCard
          key={i}
          index={i}
          panel={panel}
          onChange={(next) => change(i, next)}
          onCopy={() => write([...panels.slice(0, i + 1), panel, ...panels.slice(i + 1)])}
          {...(panels.length > 1 ? { onRemove: () => write(panels.filter((_, at) => at !== i)) } : {})}
        />
      ))}
      <button type="button" class="button" onClick={() => write([...panels, EMPTY_PANEL])}>
        <Icon name="plus" /> Add query
      </button>
    </Page>
  )
}

interface CardProps {
  index: number
  panel: QueryPanel
  onChange: (panel: QueryPanel) => void
  onCopy: () => void
  onRemove?: () => void
}

function PanelCard({ index, panel, onChange, onCopy, onRemove }: CardProps): JSX.Element {
  const [runs, setRuns] = useState(0)
  const run = (expr: string) => {
    if (expr === panel.expr) setRuns(runs + 1)
    else onChange({ ...panel, expr })
  }
  return (
    <section class="card query-card" aria-label={`Query ${index + 1}`} data-panel-id={`g${index}`}>
      <QueryEditor id={`expr-${index}`} value={panel.expr} onRun={run} />
      <div class="query-tools">
        <span class="chips" role="tablist" aria-label="View">
          {(['table', 'graph'] as const).map((tab) => (
            <button
              key={tab}
              type="button"
              role="tab"
              class="chip"
              aria-selected={panel.tab === tab}
              onClick={() => onChange({ ...panel, tab })}
            >
              {tab === 'table' ? 'Table' : 'Graph'}
            </button>
          ))}
        </span>
        {panel.tab === 'graph' ? (
          <GraphInputs panel={panel} onChange={onChange} />
        ) : (
          <MomentInput panel={panel} onChange={onChange} />
        )}
        <span class="query-actions">
          <button
            type="button"
            class="control icon-only"
            title="Duplicate"
            aria-label="Duplicate query"
            onClick={onCopy}
          >
            <Icon name="plus" />
          </button>
          {onRemove && (
            <button type="button" class="control icon-only" title="Remove" aria-label="Remove query" onClick={onRemove}>
              <Icon name="close" />
            </button>
          )}
        </span>
      </div>
      {panel.expr.trim() === '' ? (
        <p class="state">Enter an expression. Ctrl+Space shows the names there are.</p>
      ) : panel.tab === 'graph' ? (
        <GraphResult index={index} panel={panel} runs={runs} onChange={onChange} />
      ) : (
        <TableResult panel={panel} runs={runs} />
      )}
    </section>
  )
}

interface InputProps {
  panel: QueryPanel
  onChange: (panel: QueryPanel) => void
}

const RANGES_MS = ['1m', '5m', '15m', '30m', '1h', '2h', '6h', '12h', '1d', '2d', '1w', '2w', '4w'].map(
  (text) => tryParseDuration(text)!,
)

function GraphInputs({ panel, onChange }: InputProps): JSX.Element {
  const setRangeMs = (rangeMs: number | undefined) =>
    rangeMs !== undefined && rangeMs > 0 && onChange({ ...panel, rangeMs })
  const moveEnd = (share: number) =>
    onChange({ ...panel, endMs: Math.round((panel.endMs ?? Date.now()) + share * panel.rangeMs) })
  return (
    <>
      <span class="control-group">
        <button
          type="button"
          class="control"
          aria-label="Shorter range"
          onClick={() => setRangeMs([...RANGES_MS].reverse().find((rangeMs) => rangeMs < panel.rangeMs))}
        >
          −
        </button>
        <TextInput
          label="Range"
          value={formatDuration(panel.rangeMs)}
          width="5.5em"
          onCommit={(text) => setRangeMs(tryParseDuration(text))}
        />
        <button
          type="button"
          class="control"
          aria-label="Longer range"
          onClick={() => setRangeMs(RANGES_MS.find((rangeMs) => rangeMs > panel.rangeMs))}
        >
          +
        </button>
      </span>
      <span class="control-group">
        <button type="button" class="control" aria-label="Earlier" onClick={() => moveEnd(-0.5)}>
          ‹
        </button>
        <InstantInput
          label="End"
          placeholder="until now"
          value={panel.endMs}
          onCommit={(endMs) => onChange(withOptional(panel, 'endMs', endMs))}
        />
        <button type="button" class="control" aria-label="Later" onClick={() => moveEnd(0.5)}>
          ›
        </button>
      </span>
      <TextInput
        label="Resolution"
        value={panel.stepMs === undefined ? '' : formatDuration(panel.stepMs)}
        placeholder="resolution"
        width="6.5em"
        onCommit={(text) => onChange(withOptional(panel, 'stepMs', tryParseDuration(text) || undefined))}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={panel.stacked}
          onChange={(event) => onChange({ ...panel, stacked: event.currentTarget.checked })}
        />
        Stacked
      </label>
    </>
  )
}

function MomentInput({ panel, onChange }: InputProps): JSX.Element {
  return (
    <InstantInput
      label="Evaluation time"
      placeholder="now"
      value={panel.momentMs}
      onCommit={(momentMs) => onChange(withOptional(panel, 'momentMs', momentMs))}
    />
  )
}

function withOptional(panel: QueryPanel, name: 'endMs' | 'momentMs' | 'stepMs', value: number | undefined): QueryPanel {
  const { [name]: _, ...rest } = panel
  return value === undefined ? rest : { ...rest, [name]: value }
}

interface TextInputProps {
  label: string
  value: string
  placeholder?: string
  width: string
  onCommit: (text: string) => void
}

/** Takes effect on Enter or when left, not with every letter. */
function TextInput({ label, value, placeholder = '', width, onCommit }: TextInputProps): JSX.Element {
  const commit = (event: Event) => {
    const { value: text } = event.currentTarget as HTMLInputElement
    if (text !== value) onCommit(text)
  }
  return (
    <input
      class="plain-input"
      aria-label={label}
      title={label}
      placeholder={placeholder}
      value={value}
      style={{ width }}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit(event)}
    />
  )
}

function InstantInput({
  label,
  placeholder,
  value,
  onCommit,
}: {
  label: string
  placeholder: string
  value: number | undefined
  onCommit: (atMs: number | undefined) => void
}): JSX.Element {
  const text =
    value === undefined ? '' : new Date(value - zoneShiftMs(value)).toISOString().slice(0, 19).replace('T', ' ')
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      value={text}
      width="11.5em"
      onCommit={(typed) =>
        onCommit(typed.trim() === '' ? undefined : parseInstant(typed, Date.now(), 'to', timeZone.peek()))
      }
    />
  )
}

function zoneShiftMs(atMs: number): number {
  return timeZone.peek() === 'utc' ? 0 : new Date(atMs).getTimezoneOffset() * 60_000
}

interface ResultProps {
  panel: QueryPanel
  runs: number
}

function GraphResult({
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
  const stepMs = panel.stepMs ?? Math.max(1000, roundInterval(panel.rangeMs / GRAPH_POINTS))
  const grid = { ...alignRange(fromMs, toMs, stepMs), stepMs }
  const answer = await queryRange(panel.expr, grid, signal)
  const series = answer.data.slice(0, SERIES_MAX)
  const lines: LinesData = {
    frame: frameFromMatrix(series, grid),
    names: series.map(({ metric }) => formatSeries(metric)),
    mirrored: series.map(() => false),
    colors: assignColors(series.map(({ metric }) => labelKey(metric))),
    range: { fromMs, toMs },
    warnings: [],
  }
  return { answer, lines, stepMs }
}

function TableResult({ panel, runs }: ResultProps): JSX.Element {
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
  answer: QueryAnswer<unknown> | undefined
}): JSX.Element {
  const place = /(\d+):(\d+): parse error/.exec(error ?? '')
  const line = place === null ? undefined : expr.split('\n')[Number(place[1]) - 1]
  return (
    <>
      {error !== undefined && (
        <div class="notice notice-crit query-error" role="alert">
          <p>{error}</p>
          {line !== undefined && <pre>{`${line}\n${' '.repeat(Math.max(0, Number(place![2]) - 1))}^`}</pre>}
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
