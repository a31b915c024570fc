// What the server tells about queries themselves: their plans, those that run now, and how many series each metric has.
import { request, requestForm } from './client.ts'
import { type Grid, type NameCount, statusPart, type TsdbStatus } from './prometheus.ts'

/** A part of a plan, with what it takes its input from. */
export interface PlanPart {
  readonly kind: string
  /** Function, aggregation or operator; '' where the kind says it all. */
  readonly name: string
  readonly text: string
  readonly expected: { readonly series: number; readonly samples: number }
  readonly measured?: {
    readonly series: number
    readonly samples: number
    readonly seconds: number
    readonly selfSeconds: number
  }
  readonly children: readonly PlanPart[]
}

/** @param at a grid, or an instant in Unix milliseconds; absent = now */
export async function explainQuery(
  expr: string,
  at: Grid | number | undefined,
  run: boolean,
  signal?: AbortSignal,
): Promise<PlanPart> {
  const params = new URLSearchParams({ query: expr, run: String(run) })
  if (typeof at === 'number') params.set('time', String(at / 1000))
  else if (at !== undefined) {
    params.set('start', String(at.startMs / 1000))
    params.set('end', String(at.endMs / 1000))
    params.set('step', String(at.stepMs / 1000))
  }
  const response = await requestForm('api/belltower/v1/explain', params, signal)
  return ((await response.json()) as { data: { plan: PlanPart } }).data.plan
}

export interface RunningQuery {
  readonly id: number
  readonly query: string
  readonly class: string
  readonly state: string
  readonly waitedSeconds: number
  readonly ranSeconds: number
}

export async function runningQueries(signal?: AbortSignal): Promise<readonly RunningQuery[]> {
  const response = await request('api/belltower/v1/queries', { signal })
  return ((await response.json()) as { data: { queries: RunningQuery[] } }).data.queries
}

/** @throws {ApiError} with status 404 where it has ended meanwhile */
export async function endQuery(id: number): Promise<void> {
  await request(`api/belltower/v1/queries/${id}`, { method: 'DELETE' })
}

const METRICS_MAX = 10_000

/** Series in memory per metric. */
export async function seriesCounts(signal?: AbortSignal): Promise<readonly NameCount[]> {
  const status = await statusPart<TsdbStatus>('tsdb', signal, new URLSearchParams({ limit: String(METRICS_MAX) }))
  return status.seriesCountByMetricName ?? []
}
