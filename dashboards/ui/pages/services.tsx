// Every job with a request-duration histogram, and one of them in full.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { redQueries, serviceBoard } from '../../library/service.ts'
import { formatObjective, sloBoard } from '../../library/slo.ts'
import { availableRows, matcherList, severityOf } from '../../model/board.ts'
import { expandIntervals } from '../../model/interval.ts'
import { durationFamilies, type RedSource, recogniseRed } from '../../model/recognise.ts'
import { paletteColor } from '../../model/series-color.ts'
import { formatValue } from '../../model/units.ts'
import { labelNames, metadata, queryVector } from '../api/prometheus.ts'
import { BoardView } from '../panel/board-view.tsx'
import { intervalsOf, loadLines } from '../panel/panel-data.ts'
import { Sparkline } from '../panel/stat.tsx'
import { Link } from '../shell/link.tsx'
import { ListState, Page } from '../shell/page.tsx'
import { scrapeIntervalMs, useMetricNames } from '../state/catalog.ts'
import { useLive } from '../state/live.ts'
import { pageHref, route, setParams } from '../state/route.ts'
import { theme } from '../state/theme.ts'
import { rangeKey, shownRange, timeParams } from '../state/time.ts'

const SPARKLINE_PX = 200
const OBJECTIVES = ['90', '95', '99', '99.5', '99.9', '99.95', '99.99'] as const
const DEFAULT_OBJECTIVE = '99.9'

export function ServicesPage(): JSX.Element {
  const names = useMetricNames(undefined)
  const families = useMemo(
    () => (names === undefined ? '' : [...names].filter((name) => /request/.test(name)).join(' ')),
    [names],
  )
  const {
    data: sources,
    error,
    loading,
  } = useLive(
    (abort) => findSources(names ?? new Set(), abort),
    [families],
    // While nothing is recognised yet, look again at each refresh.
    { active: names !== undefined, live: families === '' },
  )
  const job = decodeURIComponent(route.value.path.split('/')[2] ?? '')
  const source = sources?.find((candidate) => candidate.job === job)
  if (job === '') return <ServiceList sources={sources} error={error} loading={loading} />
  return (
    <Page
      title={job}
      tools={
        <>
          {source?.statusLabel !== undefined && <ObjectiveTools />}
          <Link class="button" href={pageHref('/services', timeParams.value)}>
            All services
          </Link>
        </>
      }
    >
      {source === undefined ? (
        <ListState
          error={error}
          loading={loading || sources === undefined}
          empty={`No request durations are known for the job ${job}.`}
        />
      ) : (
        <ServiceBoard source={source} />
      )}
    </Page>
  )
}

/** The share of good answers that the address promises; `undefined` = the service itself is shown. */
function shownObjective(): number | undefined {
  const percent = Number(route.value.search.get('objective') ?? Number.NaN)
  return percent > 0 && percent < 100 ? percent / 100 : undefined
}

function ObjectiveTools(): JSX.Element {
  const shown = shownObjective()
  return (
    <>
      {shown !== undefined && (
        <span class="chips" role="group" aria-label="Objective">
          {OBJECTIVES.map((percent) => (
            <button
              key={percent}
              type="button"
              class="chip"
              aria-pressed={shown === Number(percent) / 100}
              onClick={() => setParams({ objective: percent }, { replace: true })}
            >
              {formatObjective(Number(percent) / 100)}
            </button>
          ))}
        </span>
      )}
      <button
        type="button"
        class="button"
        aria-pressed={shown !== undefined}
        onClick={() => setParams({ objective: shown === undefined ? DEFAULT_OBJECTIVE : undefined })}
      >
        {shown === undefined ? 'Objective' : 'Back to the service'}
      </button>
    </>
  )
}

function ServiceBoard({ source }: { source: RedSource }): JSX.Element | null {
  const names = useMetricNames(`{${matcherList({ job: source.job })}}`)
  const objective = shownObjective()
  const rows = useMemo(() => {
    const board = objective === undefined ? serviceBoard(source) : sloBoard(source, objective)
    return names === undefined || board === undefined ? [] : availableRows(board, names)
  }, [source, names, objective])
  const intervalMs = scrapeIntervalMs(source.job)
  if (intervalMs === undefined) return null
  // Node.js' panels are for Node.js: process_* metrics alone do not make a runtime row.
  const isNode = names?.has('nodejs_version_info') || names?.has('nodejs_eventloop_lag_p99_seconds')
  const shown = rows.filter((row) => row.id !== 'node-runtime' || isNode)
  return <BoardView rows={shown} scrapeIntervalMs={intervalMs} scope={`${source.job}/`} />
}

interface ListProps {
  sources: readonly RedSource[] | undefined
  error: string | undefined
  loading: boolean
}

function ServiceList({ sources, error, loading }: ListProps): JSX.Element {
  return (
    <Page title="Services">
      {sources === undefined || sources.length === 0 ? (
        <ListState
          error={error}
          loading={loading}
          empty="No service yet. A page appears here by itself for every scraped job that exposes a request-duration histogram, such as http_request_duration_seconds."
        />
      ) : (
        <div class="card table-scroll" tabIndex={0} role="group" aria-label="Services">
          <table class="grid services">
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col" class="trend-cell">
                  Rate
                </th>
                <th scope="col" class="num">
                  Requests
                </th>
                <th scope="col" class="num">
                  Errors
                </th>
                <th scope="col" class="num">
                  p50
                </th>
                <th scope="col" class="num">
                  p99
                </th>
                <th scope="col" class="wide">
                  Recognised by
                </th>
              </tr>
            </thead>
            <tbody>
              {sources.map((source) => (
                <ServiceRow key={source.job} source={source} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Page>
  )
}

function ServiceRow({ source }: { source: RedSource }): JSX.Element {
  const intervalMs = scrapeIntervalMs(source.job)
  const range = shownRange.value
  const { data } = useLive(
    (abort) => loadFigures(source, { range, widthPx: SPARKLINE_PX, scrapeIntervalMs: intervalMs! }, abort),
    [source, rangeKey.value, intervalMs],
    { active: intervalMs !== undefined },
  )
  const figure = (value: number | undefined, unit: string, limits?: { warn: number; crit: number }) => (
    <td class={`num cell-${severityOf(value ?? 0, limits)}`}>{formatValue(value ?? Number.NaN, unit)}</td>
  )
  const slow = source.unit === 's' ? { warn: 0.5, crit: 1 } : { warn: 500, crit: 1000 }
  return (
    <tr>
      <td>
        <Link class="service-name" href={pageHref(`/services/${encodeURIComponent(source.job)}`, timeParams.value)}>
          {source.job}
        </Link>
      </td>
      <td class="trend-cell">{data?.trend && <Sparkline data={data.trend} color={paletteColor(0, theme.value)} />}</td>
      {figure(data?.rate, 'reqps')}
      {source.statusLabel === undefined ? (
        <td class="num dim" title="The histogram has no status label">
          –
        </td>
      ) : (
        figure(data?.errors, 'percentunit', { warn: 0.001, crit: 0.01 })
      )}
      {figure(data?.p50, source.unit)}
      {figure(data?.p99, source.unit, slow)}
      <td class="wide">
        <code>{source.family}</code>
      </td>
    </tr>
  )
}

async function loadFigures(source: RedSource, context: Parameters<typeof loadLines>[1], signal: AbortSignal) {
  const red = redQueries(source)
  const intervals = intervalsOf(context)
  const figure = async (expr: string | undefined) => {
    if (expr === undefined) return Number.NaN
    const [sample] = await queryVector(expandIntervals(expr, intervals), context.range.toMs, signal)
    return Number(sample?.value?.[1] ?? Number.NaN)
  }
  const [trend, rate, errors, p50, p99] = await Promise.all([
    loadLines([{ expr: red.rate }], context, signal),
    figure(red.rate),
    figure(red.errorRatio),
    figure(red.quantile(0.5)),
    figure(red.quantile(0.99)),
  ])
  return { trend: trend.frame.ys.length > 0 ? trend : undefined, rate, errors, p50, p99 }
}

/** The best duration family of every job, by asking which jobs have it and with which labels. */
async function findSources(names: ReadonlySet<string>, signal: AbortSignal): Promise<RedSource[]> {
  const families = durationFamilies(names, await metadata(signal))
  const sources = new Map<string, RedSource>()
  for (const family of families) {
    const counted = family.native ? family.family : `${family.family}_count`
    const [jobs, labels] = await Promise.all([
      queryVector(`group by (job) (${counted})`, undefined, signal),
      labelNames(counted, signal),
    ])
    for (const { metric } of jobs) {
      const job = metric.job ?? ''
      if (job !== '' && !sources.has(job)) sources.set(job, recogniseRed(job, family, new Set(labels)))
    }
  }
  return [...sources.values()].sort((a, b) => (a.job < b.job ? -1 : 1))
}
