// Prometheus' HTTP API as the pages use it.
import type { LabelSet, MatrixSeries } from '../../model/frame.ts'
import type { MetricMetadata } from '../../model/recognise.ts'
import { type Request, request, requestForm } from './client.ts'

export interface QueryStats {
  readonly seriesCount: number
  readonly tookMs: number
}

export interface QueryAnswer<T> {
  readonly data: T
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
  readonly stats: QueryStats
}

export interface VectorSample {
  readonly metric: LabelSet
  readonly value?: readonly [number, string]
  readonly histogram?: unknown
}

export type InstantResult = SeriesResult | ScalarResult<'scalar'> | ScalarResult<'string'>
export type SeriesResult =
  | { readonly resultType: 'vector'; readonly result: readonly VectorSample[] }
  | { readonly resultType: 'matrix'; readonly result: readonly MatrixSeries[] }
interface ScalarResult<T extends string> {
  readonly resultType: T
  readonly result: readonly [number, string]
}

export interface Grid {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

export async function queryRange(expr: string, grid: Grid, signal?: AbortSignal): Promise<QueryAnswer<MatrixSeries[]>> {
  const params = new URLSearchParams({
    query: expr,
    start: String(grid.startMs / 1000),
    end: String(grid.endMs / 1000),
    step: String(grid.stepMs / 1000),
  })
  const answer = await timed<{ result: MatrixSeries[] }>('api/v1/query_range', params, signal)
  return { ...answer, data: answer.data.result, stats: { ...answer.stats, seriesCount: answer.data.result.length } }
}

/** @param atMs Unix milliseconds; absent = now */
export async function queryInstant(
  expr: string,
  atMs?: number,
  signal?: AbortSignal,
): Promise<QueryAnswer<InstantResult>> {
  const params = new URLSearchParams({ query: expr })
  if (atMs !== undefined) params.set('time', String(atMs / 1000))
  const answer = await timed<InstantResult>('api/v1/query', params, signal)
  const { resultType, result } = answer.data
  const seriesCount = resultType === 'vector' || resultType === 'matrix' ? result.length : 1
  return { ...answer, stats: { ...answer.stats, seriesCount } }
}

/** The samples of an instant vector; other kinds of result count as none. */
export async function queryVector(expr: string, atMs?: number, signal?: AbortSignal): Promise<readonly VectorSample[]> {
  const { data } = await queryInstant(expr, atMs, signal)
  return data.resultType === 'vector' ? data.result : []
}

/** Values of a label among the series that match, newest data only where a start is given. */
export function labelValues(name: string, matcher?: string, signal?: AbortSignal): Promise<string[]> {
  return getData(`api/v1/label/${encodeURIComponent(name)}/values`, matchParams(matcher), signal)
}

export function labelNames(matcher?: string, signal?: AbortSignal): Promise<string[]> {
  return getData('api/v1/labels', matchParams(matcher), signal)
}

export function metadata(signal?: AbortSignal): Promise<Record<string, MetricMetadata[]>> {
  return getData('api/v1/metadata', new URLSearchParams({ limit_per_metric: '1' }), signal)
}

export interface Target {
  readonly labels: LabelSet
  readonly discoveredLabels: LabelSet
  readonly scrapePool: string
  readonly scrapeUrl: string
  readonly lastError: string
  readonly lastScrape: string
  readonly lastScrapeDuration: number
  readonly health: 'up' | 'down' | 'unknown'
  readonly scrapeInterval: string
  readonly scrapeTimeout: string
}

export interface Targets {
  readonly activeTargets: readonly Target[]
  readonly droppedTargets?: readonly { readonly discoveredLabels: LabelSet; readonly scrapePool?: string }[]
  readonly droppedTargetCounts?: Readonly<Record<string, number>>
}

export function targets(signal?: AbortSignal): Promise<Targets> {
  return getData('api/v1/targets', new URLSearchParams({ state: 'active' }), signal)
}

export interface RelabelStep {
  readonly rule: Readonly<Record<string, unknown>>
  readonly output: LabelSet
  readonly keep: boolean
}

/** What each rule of the pool makes of the labels of a discovered target. */
export async function relabelSteps(
  pool: string,
  labels: LabelSet,
  signal?: AbortSignal,
): Promise<readonly RelabelStep[]> {
  const params = new URLSearchParams({ scrapePool: pool, labels: JSON.stringify(labels) })
  const { steps } = await getData<{ steps: RelabelStep[] }>('api/v1/targets/relabel_steps', params, signal)
  return steps
}

/** Targets that were found and not taken. */
export function droppedTargets(signal?: AbortSignal): Promise<Targets> {
  return getData('api/v1/targets', new URLSearchParams({ state: 'dropped' }), signal)
}

/** What the operator should know of the server. */
export function serverNotes(signal?: AbortSignal): Promise<readonly { text: string; date: string }[]> {
  return getData('api/v1/notifications', undefined, signal)
}

export interface ActiveAlert {
  readonly labels: LabelSet
  readonly annotations: LabelSet
  readonly state: 'pending' | 'firing' | 'inactive'
  readonly activeAt?: string
  readonly value: string
}

export interface Rule {
  readonly name: string
  readonly type: 'alerting' | 'recording'
  readonly query: string
  readonly labels?: LabelSet
  readonly annotations?: LabelSet
  readonly state?: 'inactive' | 'pending' | 'firing'
  readonly duration?: number
  /** Seconds. */
  readonly keepFiringFor?: number
  readonly alerts?: readonly ActiveAlert[]
  readonly health: string
  readonly lastError?: string
  readonly evaluationTime: number
  readonly lastEvaluation: string
}

export interface RuleGroup {
  readonly name: string
  readonly file: string
  readonly interval: number
  readonly evaluationTime: number
  readonly lastEvaluation: string
  readonly rules: readonly Rule[]
}

export async function ruleGroups(signal?: AbortSignal): Promise<readonly RuleGroup[]> {
  const { groups } = await getData<{ groups: RuleGroup[] | null }>('api/v1/rules', undefined, signal)
  return groups ?? []
}

export interface NameCount {
  readonly name: string
  readonly value: number
}

export interface TsdbStatus {
  readonly headStats?: {
    readonly numSeries: number
    readonly numLabelPairs?: number
    readonly chunkCount: number
    readonly minTime: number
    readonly maxTime: number
  }
  readonly seriesCountByMetricName?: readonly NameCount[]
  readonly labelValueCountByLabelName?: readonly NameCount[]
  readonly memoryInBytesByLabelName?: readonly NameCount[]
  readonly seriesCountByLabelValuePair?: readonly NameCount[]
}

export function statusPart<T>(
  part: 'buildinfo' | 'runtimeinfo' | 'flags' | 'config' | 'tsdb',
  signal?: AbortSignal,
  params?: URLSearchParams,
): Promise<T> {
  return getData(`api/v1/status/${part}`, params, signal)
}

function matchParams(matcher: string | undefined): URLSearchParams | undefined {
  return matcher === undefined ? undefined : new URLSearchParams({ 'match[]': matcher })
}

interface Envelope<T> {
  readonly data: T
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
}

async function getData<T>(path: string, params?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const options: Request = params === undefined ? { signal } : { signal, params }
  const response = await request(path, options)
  return ((await response.json()) as Envelope<T>).data
}

async function timed<T>(path: string, params: URLSearchParams, signal?: AbortSignal): Promise<QueryAnswer<T>> {
  const startedMs = performance.now()
  const response = await requestForm(path, params, signal)
  const body = (await response.json()) as Envelope<T>
  return {
    data: body.data,
    warnings: body.warnings ?? [],
    infos: body.infos ?? [],
    stats: { seriesCount: 0, tookMs: performance.now() - startedMs },
  }
}

/** @throws {ApiError} with status 400 and the place of the fault where the expression cannot be read */
export async function parseQuery(expr: string, signal?: AbortSignal): Promise<void> {
  await requestForm('api/v1/parse_query', new URLSearchParams({ query: expr }), signal)
}

/** Label sets of the series that match. @param limit at most so many, 0 = all */
export function series(matcher: string, signal?: AbortSignal, limit = 0): Promise<LabelSet[]> {
  return getData('api/v1/series', new URLSearchParams({ 'match[]': matcher, limit: String(limit) }), signal)
}
