/** Metrics of the process as a whole, under Prometheus' names, so that its dashboards and alerts work on us. */
import type { FastifyInstance } from 'fastify'
import type { Registry } from '../lib/index.ts'
import { Counter, collectDefaultMetrics, counterOf, Gauge, gaugeOf, Histogram, Summary } from '../lib/metrics.ts'
import { LOOP_LAG_METRICS, registerLoopLag } from './loop-lag.ts'
import type { QueryPool } from './query/query-pool.ts'

export interface ReloadState {
  successful: boolean
  /** Of the last successful one. */
  timeMs: number
}

export function registerProcessMetrics(registry: Registry, version: string, reload: ReloadState): void {
  // The loop's lag is measured in a cheaper way; the other way is given a timer that never fires.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 2 ** 31 - 1 })
  for (const name of LOOP_LAG_METRICS) registry.removeSingleMetric(name)
  registerLoopLag(registry)
  new Gauge({
    name: 'prometheus_build_info',
    help: 'A metric with a constant value of 1, labelled by what was built.',
    labelNames: ['version', 'revision', 'branch', 'goversion'],
    registers: [registry],
  }).set({ version, revision: '', branch: '', goversion: `node ${process.version}` }, 1)
  gaugeOf(registry, 'prometheus_ready', 'Whether the server can answer queries.', () => 1)
  const last = 'prometheus_config_last_reload_success'
  gaugeOf(registry, `${last}ful`, 'Whether the last configuration reload was successful.', () =>
    Number(reload.successful),
  )
  gaugeOf(registry, `${last}_timestamp_seconds`, 'Time of the last successful reload.', () => reload.timeMs / 1000)
}

/** Takes note of an answered request. */
export type HttpObserver = (handler: string, status: number, seconds: number) => void

/** Of requests; they are there before the router is. */
export interface HttpMetrics {
  /** For requests that do not pass the router; `observeRouter` tells of the others. */
  readonly observe: HttpObserver
  readonly remoteReads: Gauge
  readonly federationErrors: Counter
}

/** Requests are counted by route, the way Prometheus labels handlers. */
export function registerHttpMetrics(registry: Registry): HttpMetrics {
  const requests = new Counter({
    name: 'prometheus_http_requests_total',
    help: 'Counter of HTTP requests.',
    labelNames: ['handler', 'code'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'prometheus_http_request_duration_seconds',
    help: 'Histogram of latencies for HTTP requests.',
    labelNames: ['handler'],
    buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120],
    registers: [registry],
  })
  const remoteReads = new Gauge({
    name: 'prometheus_api_remote_read_queries',
    help: 'Remote read queries that run or wait.',
    registers: [registry],
  })
  const federationErrors = new Counter({
    name: 'prometheus_web_federation_errors_total',
    help: 'Errors that occurred while sending federation responses.',
    registers: [registry],
  })
  new Counter({
    name: 'prometheus_web_federation_warnings_total',
    help: 'Warnings that occurred while sending federation responses.',
    registers: [registry],
  })
  const observe: HttpObserver = (handler, status, seconds) => {
    requests.inc({ handler, code: String(status) })
    durations.observe({ handler }, seconds)
  }
  return { observe, remoteReads, federationErrors }
}

/** Tells of every request that the router has answered. */
export function observeRouter(app: FastifyInstance, observe: HttpObserver): void {
  app.addHook('onResponse', (request, reply, done) => {
    // The files of the user interface are one handler: their names change with every release.
    const handler = request.routeOptions.url?.replace(/\/assets\/.*/, '/assets/*') ?? 'unknown'
    observe(handler, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
}

export function registerQueryMetrics(registry: Registry, pool: QueryPool): void {
  const { counts } = pool
  gaugeOf(registry, 'prometheus_engine_queries', 'Queries being executed or waiting.', () => counts.running)
  gaugeOf(
    registry,
    'prometheus_engine_queries_concurrent_max',
    'Queries that can run at one time.',
    () => pool.workerCount,
  )
  counterOf(registry, 'prometheus_engine_queries_failed_total', 'Queries that ended in an error.', () => counts.failed)
  const totals = pool.cacheTotals.bind(pool)
  const of = 'answers to range queries kept from earlier ones'
  counterOf(registry, 'belltower_query_cache_hits_total', `Queries that used ${of}.`, () => totals().hits)
  counterOf(registry, 'belltower_query_cache_misses_total', `Queries that found no ${of}.`, () => totals().misses)
  gaugeOf(registry, 'belltower_query_cache_bytes', `Memory taken by ${of}.`, () => totals().bytes)
  const durations = new Summary({
    name: 'prometheus_engine_query_duration_seconds',
    help: 'Query timings.',
    labelNames: ['slice'],
    percentiles: [0.5, 0.9, 0.99],
    maxAgeSeconds: 600,
    // Each takes note of everything: two cost less than half of what Prometheus' five would.
    ageBuckets: 2,
    registers: [registry],
  })
  pool.onFinished = ({ queuedMs, runMs }) => {
    durations.observe({ slice: 'queue_time' }, queuedMs / 1000)
    durations.observe({ slice: 'inner_eval' }, runMs / 1000)
  }
}
