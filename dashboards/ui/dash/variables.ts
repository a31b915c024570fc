// Finds out the variables of a board one after the other: each may refer to those before it.
import { roundInterval, tryParseDuration } from '../../model/interval.ts'
import { formatDuration } from '../../../model/duration.ts'
import type { DashboardModel } from '../../grafana/dashboard.ts'
import { ADHOC_MATCHERS, decodeFilter, encodeFilter, matcherText } from '../../grafana/adhoc.ts'
import { interpolate, type Scope, type VariableValue, valueOf } from '../../grafana/interpolate.ts'
import { builtInScope } from '../../grafana/target-interval.ts'
import type { Variable, VariableOption } from '../../grafana/variable.ts'
import {
  chosenValues,
  dependencyOrder,
  optionsFrom,
  parseVariableQuery,
  statedOptions,
} from '../../grafana/variable-options.ts'
import type { ResolvedRange } from '../../model/time-range.ts'
import { formatSeries } from '../../model/series-name.ts'
import { labelNames, labelValues, queryInstant, series } from '../api/prometheus.ts'
import { loadAdhocFilter } from './adhoc-filter.ts'

export interface ResolvedVariable {
  readonly variable: Variable
  readonly options: readonly VariableOption[]
  readonly chosen: readonly string[]
  readonly error: string | undefined
}

export interface ResolvedVariables {
  readonly list: readonly ResolvedVariable[]
  readonly scope: Scope
}

const AUTO = '$__auto'
const THIS_SERVER: readonly VariableOption[] = [{ text: 'Belltower', value: 'belltower' }]

/** Answers to variables' queries, kept while the board is open. */
export type VariableCache = Map<string, Promise<string[]>>

export async function resolveVariables(
  model: DashboardModel,
  search: URLSearchParams,
  range: ResolvedRange,
  { cache, timezone, signal }: { cache: VariableCache; timezone: string; signal: AbortSignal },
): Promise<ResolvedVariables> {
  const scope = new Map(builtInScope({ ...range, timezone, dashboard: model.title }))
  const spanMs = range.toMs - range.fromMs
  for (const [name, text] of [
    ['__range', `${Math.round(spanMs / 1000)}s`],
    ['__range_s', String(Math.round(spanMs / 1000))],
    ['__range_ms', String(spanMs)],
    ['__interval', '1m'],
    ['__rate_interval', '5m'],
  ] as const) {
    scope.set(name, { values: [text], texts: [text], isList: false, isRaw: true })
  }
  const { order, circular } = dependencyOrder(model.variables)
  const found = new Map<string, ResolvedVariable>()
  for (const variable of order) {
    const wanted = search.has(`var-${variable.name}`) ? search.getAll(`var-${variable.name}`) : undefined
    let options: readonly VariableOption[] = []
    let error = circular.includes(variable.name) ? 'refers to itself through other variables' : undefined
    try {
      if (error === undefined) options = await optionsOf(variable, scope, range, cache)
    } catch (thrown) {
      if (signal.aborted) throw thrown
      error = thrown instanceof Error ? thrown.message : String(thrown)
    }
    const chosen = choose(variable, options, wanted)
    found.set(variable.name, { variable, options, chosen, error })
    scope.set(variable.name, scopeValue(variable, chosen, options, spanMs))
  }
  const matchers = order.filter(({ type }) => type === 'adhoc').flatMap(({ name }) => scope.get(name)?.values ?? [])
  if (matchers.length > 0) {
    await loadAdhocFilter()
    scope.set(ADHOC_MATCHERS, { values: matchers, texts: matchers, isList: true, isRaw: true })
  }
  for (const name of ['__interval', '__rate_interval', '__range', '__range_s', '__range_ms']) scope.delete(name)
  return { list: model.variables.map(({ name }) => found.get(name)!), scope }
}

function choose(
  variable: Variable,
  options: readonly VariableOption[],
  wanted: readonly string[] | undefined,
): string[] {
  if (variable.type === 'textbox') return [wanted?.[0] ?? variable.current[0]?.value ?? variable.query]
  if (variable.type === 'constant') return [variable.query]
  if (variable.type === 'datasource') return [THIS_SERVER[0]!.value]
  if (variable.type === 'adhoc')
    return wanted === undefined ? variable.filters.map(encodeFilter) : wanted.filter((one) => one !== '')
  return chosenValues(variable, options, wanted)
}

function scopeValue(
  variable: Variable,
  chosen: readonly string[],
  options: readonly VariableOption[],
  spanMs: number,
): VariableValue {
  if (variable.type === 'interval') {
    const text = chosen[0]?.startsWith(AUTO) ? autoInterval(variable, spanMs) : (chosen[0] ?? '1m')
    return { values: [text], texts: [text], isList: false, isRaw: true }
  }
  if (variable.type === 'adhoc') {
    const text = matchersOf(chosen).join(',')
    return { values: [text], texts: [text], isList: false, isRaw: true }
  }
  return valueOf(variable, chosen, options)
}

function matchersOf(filters: readonly string[]): string[] {
  return filters
    .map(decodeFilter)
    .filter((one) => one !== undefined)
    .map(matcherText)
}

function autoInterval({ autoCount, autoMin }: Variable, spanMs: number): string {
  return formatDuration(Math.max(roundInterval(spanMs / autoCount), tryParseDuration(autoMin) ?? 0))
}

async function optionsOf(
  variable: Variable,
  scope: Scope,
  range: ResolvedRange,
  cache: VariableCache,
): Promise<VariableOption[]> {
  switch (variable.type) {
    case 'datasource':
      return [...THIS_SERVER]
    case 'textbox':
    case 'constant':
    case 'adhoc':
      return []
    case 'interval': {
      const stated = statedOptions(variable)
      return variable.auto ? [{ text: 'auto', value: `${AUTO}_interval_${variable.name}` }, ...stated] : stated
    }
    case 'custom': {
      const stated = statedOptions(variable)
      return stated.length > 0 ? stated : [...variable.options].filter(({ value }) => value !== '$__all')
    }
    default:
      return queried(variable, scope, range, cache)
  }
}

async function queried(
  variable: Variable,
  scope: Scope,
  range: ResolvedRange,
  cache: VariableCache,
): Promise<VariableOption[]> {
  const text = interpolate(variable.query, scope, 'promql')
  // With refresh 2 the answer belongs to the range, which is cut to minutes so that a live board does not ask all the time.
  const key =
    variable.refresh === 2
      ? `${text} ${Math.round(range.toMs / 60_000)} ${Math.round((range.toMs - range.fromMs) / 60_000)}`
      : text
  let answer = cache.get(key)
  if (answer === undefined) {
    // Not the caller's to abort: the next one, a moment later, waits for the same answer.
    answer = ask(text, range.toMs)
    cache.set(key, answer)
    answer.catch(() => cache.delete(key))
  }
  return optionsFrom(await answer, { regex: interpolate(variable.regex, scope, 'promql'), sort: variable.sort })
}

async function ask(text: string, atMs: number): Promise<string[]> {
  const query = parseVariableQuery(text)
  if (query === undefined) return []
  switch (query.kind) {
    case 'label_values':
      return labelValues(query.label, query.selector === '' ? undefined : query.selector)
    case 'label_names':
      return labelNames(query.selector === '' ? undefined : query.selector)
    case 'metrics': {
      const pattern = new RegExp(query.pattern)
      return (await labelValues('__name__', undefined)).filter((name) => pattern.test(name))
    }
    case 'series':
      return (await series(query.selector)).map((labels) => formatSeries(labels))
    default: {
      const { data } = await queryInstant(query.expr, atMs)
      if (data.resultType === 'vector') {
        return data.result.map(
          ({ metric, value }) => `${formatSeries(metric)} ${value?.[1] ?? ''} ${Math.round((value?.[0] ?? 0) * 1000)}`,
        )
      }
      return data.resultType === 'matrix' ? [] : [String(data.result[1])]
    }
  }
}
