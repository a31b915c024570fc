// Where the series come from: the largest metrics and labels, and the labels of one metric in detail.
import type { JSX } from 'preact'
import { formatValue } from '../../model/units.ts'
import { labelNames, type NameCount, queryVector, statusPart, type TsdbStatus } from '../api/prometheus.ts'
import { formatInstant } from '../shell/format.ts'
import { Link } from '../shell/link.tsx'
import { ListState } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { timeZone } from '../state/time.ts'
import { queryHref } from './alert-parts.tsx'

const LIMIT = 50
const VALUES_MAX = 12
const VIEWS = {
  metric: 'By metric',
  label: 'By label',
  pair: 'By label pair',
  memory: 'By memory',
} as const
type View = keyof typeof VIEWS

export function CardinalityView(): JSX.Element {
  const { search } = route.value
  const asked = search.get('by') ?? ''
  const view: View = asked in VIEWS ? (asked as View) : 'metric'
  const { data, error, loading } = useLive(
    (abort) => statusPart<TsdbStatus>('tsdb', abort, new URLSearchParams({ limit: String(LIMIT) })),
    [],
  )
  const rows: Readonly<Record<View, readonly NameCount[] | undefined>> = {
    metric: data?.seriesCountByMetricName,
    label: data?.labelValueCountByLabelName,
    pair: data?.seriesCountByLabelValuePair,
    memory: data?.memoryInBytesByLabelName,
  }
  const metric = search.get('metric') ?? undefined
  if (data === undefined) return <ListState error={error} loading={loading} empty="" />
  const seriesCount = data.headStats?.numSeries ?? 0
  return (
    <>
      <p class="list-tools">
        <span class="chips" role="group" aria-label="Counted">
          {(Object.keys(VIEWS) as View[]).map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={view === name}
              onClick={() => setParams({ by: name === 'metric' ? undefined : name }, { replace: true })}
            >
              {VIEWS[name]}
            </button>
          ))}
        </span>
        <span class="dim">{`${formatValue(seriesCount, 'none')} series in memory`}</span>
        {data.headStats !== undefined && Math.abs(data.headStats.minTime) < 8.64e15 && (
          <span class="dim">{`since ${formatInstant(data.headStats.minTime, timeZone.value)}`}</span>
        )}
      </p>
      <div class={view === 'metric' ? 'explorer' : ''}>
        <Counts
          title={VIEWS[view]}
          rows={rows[view] ?? []}
          unit={view === 'memory' ? 'bytes' : 'none'}
          whole={view === 'metric' || view === 'pair' ? seriesCount : undefined}
          picked={view === 'metric' ? (metric ?? rows.metric?.[0]?.name) : undefined}
          {...(view === 'metric' ? { onPick: (name: string) => setParams({ metric: name }, { replace: true }) } : {})}
        />
        {view === 'metric' && rows.metric?.[0] !== undefined && <MetricLabels metric={metric ?? rows.metric[0].name} />}
      </div>
    </>
  )
}

interface CountsProps {
  title: string
  rows: readonly NameCount[]
  unit: string
  /** What a row is a share of; absent = the largest row. */
  whole: number | undefined
  picked: string | undefined
  onPick?: (name: string) => void
}

function Counts({ title, rows, unit, whole, picked, onPick }: CountsProps): JSX.Element {
  const full = whole ?? Math.max(...rows.map(({ value }) => value), 1)
  return (
    <section class="card table-scroll" aria-label={title}>
      <table class="grid">
        <tbody>
          {rows.map(({ name, value }) => (
            <tr key={name}>
              <td class="series-cell">
                {onPick === undefined ? (
                  <code>{name}</code>
                ) : (
                  <button type="button" class="pick-row" aria-pressed={picked === name} onClick={() => onPick(name)}>
                    {name}
                  </button>
                )}
              </td>
              <td class="num">{formatValue(value, unit)}</td>
              {whole !== undefined && <td class="num dim">{formatValue(value / Math.max(1, full), 'percentunit')}</td>}
              <td class="share" aria-hidden="true">
                <span class="share-track">
                  <span class="share-fill" style={{ width: `${(value / full) * 100}%` }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface LabelCount {
  readonly name: string
  readonly values: number
  readonly top: readonly { readonly value: string; readonly count: number }[]
}

function MetricLabels({ metric }: { metric: string }): JSX.Element {
  const { data, error } = useLive((abort) => loadLabels(metric, abort), [metric], { live: false })
  return (
    <section class="card" aria-label={metric}>
      <h2 class="card-title">
        <code>{metric}</code>
        <Link href={queryHref(metric)}>Query</Link>
      </h2>
      {data === undefined ? (
        <ListState error={error} loading empty="" />
      ) : (
        <div class="table-scroll">
          <table class="grid">
            <thead>
              <tr>
                <th scope="col">Label</th>
                <th scope="col" class="num">
                  Values
                </th>
                <th scope="col">Most series</th>
              </tr>
            </thead>
            <tbody>
              {data.map(({ name, values, top }) => (
                <tr key={name}>
                  <td>
                    <code>{name}</code>
                  </td>
                  <td class="num">{formatValue(values, 'none')}</td>
                  <td class="series-cell">
                    <span class="labels">
                      {top.map(({ value, count }) => (
                        <span key={value} class="label">
                          {value === '' ? '(none)' : value} <span class="dim">{count}</span>
                        </span>
                      ))}
                      {values > top.length && <span class="dim">{`and ${values - top.length} more`}</span>}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** Labels of the metric with the number of their values, most first. */
async function loadLabels(metric: string, signal: AbortSignal): Promise<LabelCount[]> {
  const selector = `{__name__=${JSON.stringify(metric)}}`
  const names = (await labelNames(selector, signal)).filter((name) => name !== '__name__')
  const counted = await Promise.all(names.map((name) => countValues(selector, name, signal)))
  return counted.sort((a, b) => b.values - a.values)
}

async function countValues(selector: string, name: string, signal: AbortSignal): Promise<LabelCount> {
  const label = /^[a-zA-Z_]\w*$/.test(name) ? name : JSON.stringify(name)
  const by = `count by (${label}) (${selector})`
  const [values, top] = await Promise.all([
    queryVector(`count(${by})`, undefined, signal),
    queryVector(`topk(${VALUES_MAX}, ${by})`, undefined, signal),
  ])
  return {
    name,
    values: Number(values[0]?.value?.[1] ?? 0),
    top: top
      .map(({ metric, value }) => ({ value: metric[name] ?? '', count: Number(value?.[1] ?? 0) }))
      .sort((a, b) => b.count - a.count),
  }
}
