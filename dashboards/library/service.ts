// Rate, errors and duration of a job with a request-duration histogram.
import { type Board, type BoardPanel, type BoardQuery, matcherList } from '../model/board.ts'
import type { RedSource } from '../model/recognise.ts'
import { nodeRuntimeRow } from './node-runtime.ts'

const QUANTILES = [
  { q: 0.5, legend: 'p50', color: 0 },
  { q: 0.9, legend: 'p90', color: 1 },
  { q: 0.99, legend: 'p99', color: 3 },
] as const

/** Objectives shown until the user states own ones: 0.1 % and 1 % errors, half a second and a second. */
const ERROR_LIMITS = { warn: 0.001, crit: 0.01 }

/** The expressions every view of a service is made of. Durations come out in the histogram's own unit. */
export interface RedQueries {
  readonly rate: string
  readonly errorRatio: string | undefined
  quantile(q: number): string
  /** The same three by some labels. */
  rateBy(labels: readonly string[]): string
  errorRatioBy(labels: readonly string[]): string | undefined
  quantileBy(q: number, labels: readonly string[]): string
}

export function redQueries(source: RedSource): RedQueries {
  const job = matcherList({ job: source.job })
  const sumBy = (labels: readonly string[], expr: string) =>
    labels.length === 0 ? `sum(${expr})` : `sum by (${labels.join(', ')}) (${expr})`
  const countRate = (matchers: string) =>
    source.native
      ? `histogram_count(rate(${source.family}{${matchers}}[$__rate_interval]))`
      : `rate(${source.family}_count{${matchers}}[$__rate_interval])`
  const rateBy = (labels: readonly string[]) => sumBy(labels, countRate(job))
  // Without any failed request the numerator has no series: rate * 0 stands in for it.
  const errorRatioBy = (labels: readonly string[]) =>
    source.statusLabel === undefined
      ? undefined
      : `(${sumBy(labels, countRate(`${job},${source.statusLabel}=~"5.."`))} or ${rateBy(labels)} * 0) / ${rateBy(labels)}`
  const quantileBy = (q: number, labels: readonly string[]) =>
    source.native
      ? `histogram_quantile(${q}, ${sumBy(labels, `rate(${source.family}{${job}}[$__rate_interval])`)})`
      : `histogram_quantile(${q}, ${sumBy(['le', ...labels], `rate(${source.family}_bucket{${job}}[$__rate_interval])`)})`
  return {
    rate: rateBy([]),
    errorRatio: errorRatioBy([]),
    quantile: (q) => quantileBy(q, []),
    rateBy,
    errorRatioBy,
    quantileBy,
  }
}

export function serviceBoard(source: RedSource): Board {
  const red = redQueries(source)
  const job = matcherList({ job: source.job })
  const routes = routeTable(source, red)
  return {
    uid: `service-${source.job}`,
    title: source.job,
    rows: [
      { id: 'figures', title: 'Now', panels: figures(source, red) },
      { id: 'red', title: 'Rate, errors, duration', panels: courses(source, red) },
      ...(routes === undefined ? [] : [{ id: 'routes', title: 'Routes', panels: [routes] }]),
      {
        ...nodeRuntimeRow,
        panels: nodeRuntimeRow.panels.map((panel) => ({
          ...panel,
          queries: panel.queries.map((query) => ({ ...query, expr: query.expr.replaceAll('$job', () => job) })),
        })),
      },
    ],
  }
}

function durationThresholds(source: RedSource) {
  return source.unit === 's' ? { warn: 0.5, crit: 1 } : { warn: 500, crit: 1000 }
}

function figures(source: RedSource, red: RedQueries): BoardPanel[] {
  const stat = (id: string, title: string, unit: string, expr: string | undefined, rest: object = {}): BoardPanel[] =>
    expr === undefined ? [] : [{ id, kind: 'stat', title, unit, span: 2, queries: [{ expr }], ...rest }]
  const durations = { thresholds: durationThresholds(source) }
  return [
    ...stat('rate-now', 'Rate', 'reqps', red.rate),
    ...stat('errors-now', 'Errors', 'percentunit', red.errorRatio, { thresholds: ERROR_LIMITS }),
    ...stat('p50-now', 'Duration p50', source.unit, red.quantile(0.5)),
    ...stat('p95-now', 'Duration p95', source.unit, red.quantile(0.95), durations),
    ...stat('p99-now', 'Duration p99', source.unit, red.quantile(0.99), durations),
    ...stat('up-now', 'Targets up', 'none', `sum(up{${matcherList({ job: source.job })}})`),
  ]
}

function courses(source: RedSource, red: RedQueries): BoardPanel[] {
  const mean = source.native
    ? undefined
    : `sum(rate(${source.family}_sum{${matcherList({ job: source.job })}}[$__rate_interval])) / ${red.rate}`
  const durations: BoardQuery[] = [
    ...QUANTILES.map(({ q, legend, color }) => ({ expr: red.quantile(q), legend, color })),
    ...(mean === undefined ? [] : [{ expr: mean, legend: 'mean', color: 2 }]),
  ]
  const errorsByRoute =
    red.errorRatio === undefined || source.routeLabel === undefined ? undefined : red.errorRatioBy([source.routeLabel])
  return [
    {
      id: 'rate',
      kind: 'lines',
      title: source.statusLabel === undefined ? 'Request rate' : 'Request rate by status',
      unit: 'reqps',
      span: 4,
      min: 0,
      stack: true,
      fill: true,
      queries:
        source.statusLabel === undefined ? [{ expr: red.rate, legend: 'requests', color: 0 }] : byClass(source, red),
    },
    ...(errorsByRoute === undefined
      ? []
      : [
          {
            id: 'errors',
            kind: 'lines',
            title: 'Error ratio, worst routes',
            hint: 'Answers with status 5xx among all answers of the route.',
            unit: 'percentunit',
            span: 4,
            min: 0,
            thresholds: ERROR_LIMITS,
            queries: [{ expr: `topk(5, ${errorsByRoute})`, legend: `{{${source.routeLabel}}}` }],
          } satisfies BoardPanel,
        ]),
    {
      id: 'duration',
      kind: 'lines',
      title: 'Request duration',
      hint: 'Half, nine of ten and 99 of 100 requests were faster than this.',
      unit: source.unit,
      span: 4,
      min: 0,
      queries: durations,
    },
  ]
}

/** One query per class keeps the colours' meaning and the stack's order. */
function byClass(source: RedSource, red: RedQueries): BoardQuery[] {
  const rateOf = (first: string) =>
    red.rate.replace(`job=${JSON.stringify(source.job)}`, `$&,${source.statusLabel}=~"${first}.."`)
  return [
    { expr: rateOf('2'), legend: '2xx', color: 'ok' },
    { expr: rateOf('[13]'), legend: '1xx, 3xx', color: 'info' },
    { expr: rateOf('4'), legend: '4xx', color: 'warn' },
    { expr: rateOf('5'), legend: '5xx', color: 'crit' },
  ]
}

function routeTable(source: RedSource, red: RedQueries): BoardPanel | undefined {
  if (source.routeLabel === undefined) return undefined
  const by = [...(source.methodLabel === undefined ? [] : [source.methodLabel]), source.routeLabel]
  const errors = red.errorRatioBy(by)
  return {
    id: 'routes',
    kind: 'table',
    title: 'Routes by traffic',
    unit: 'short',
    span: 12,
    by,
    queries: [
      { expr: red.rateBy(by) },
      { expr: `${red.rateBy(by)} / on () group_left () ${red.rate}` },
      ...(errors === undefined ? [] : [{ expr: errors }]),
      { expr: red.quantileBy(0.5, by) },
      { expr: red.quantileBy(0.95, by) },
    ],
    columns: [
      { title: 'Rate', unit: 'reqps' },
      { title: 'Share', unit: 'percentunit' },
      ...(errors === undefined ? [] : [{ title: 'Errors', unit: 'percentunit', thresholds: ERROR_LIMITS }]),
      { title: 'p50', unit: source.unit },
      { title: 'p95', unit: source.unit, thresholds: durationThresholds(source) },
    ],
  }
}
