// What the editor offers: names and values of our own index, asked once a minute at most for the same question.
import type { PrometheusClient } from '@prometheus-io/codemirror-promql'
import { EqlRegex, EqlSingle, Neq, NeqRegex } from '@prometheus-io/lezer-promql'
import { labelNames, labelValues, metadata, series, statusPart } from '../api/prometheus.ts'

const CACHE_MS = 60_000
const OPERATORS = new Map<number, string>([
  [EqlSingle, '='],
  [Neq, '!='],
  [EqlRegex, '=~'],
  [NeqRegex, '!~'],
])

type LabelMatcher = NonNullable<Parameters<PrometheusClient['labelValues']>[2]>[number]

export const completionSource: PrometheusClient = {
  labelNames: (metric) => cached(`names ${metric ?? ''}`, () => labelNames(selector(metric)), []),
  labelValues: (label, metric, matchers) => {
    const matching = selector(metric, matchers, label)
    return cached(`values ${label} ${matching ?? ''}`, () => labelValues(label, matching), [])
  },
  metricMetadata: () => cached('metadata', () => metadata(), {}),
  series: (metric, matchers, label) => {
    const matching = selector(metric, matchers, label)
    const load = async () => (await series(matching ?? '{}')).map((labels) => new Map(Object.entries(labels)))
    return matching === undefined ? Promise.resolve([]) : cached(`series ${matching}`, load, [])
  },
  metricNames: () => cached('metrics', () => labelValues('__name__'), []),
  flags: () => cached('flags', () => statusPart<Record<string, string>>('flags'), {}),
}

/** @param except the label that is being written: what stands there is not meant yet */
function selector(metric = '', matchers: readonly LabelMatcher[] = [], except = ''): string | undefined {
  const written = matchers
    .filter(({ name, value }) => name !== except && value !== '')
    .map(({ type, name, value }) => `${JSON.stringify(name)}${OPERATORS.get(type) ?? '='}${JSON.stringify(value)}`)
  if (metric !== '') written.unshift(JSON.stringify(metric))
  return written.length === 0 ? undefined : `{${written.join(',')}}`
}

const answers = new Map<string, { readonly atMs: number; readonly answer: Promise<unknown> }>()

/** A failed look-up offers nothing and is tried again. */
function cached<T>(key: string, load: () => Promise<T>, nothing: T): Promise<T> {
  const known = answers.get(key)
  if (known !== undefined && Date.now() - known.atMs < CACHE_MS) return known.answer as Promise<T>
  const answer = load().catch(() => {
    answers.delete(key)
    return nothing
  })
  answers.set(key, { atMs: Date.now(), answer })
  return answer
}
