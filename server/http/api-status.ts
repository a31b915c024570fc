import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import type { Registry } from '../../lib/index.ts'
import { type AnchoredRegex, compileAnchored } from '../../model/index.ts'
import type { Tsdb, TsdbCardinality } from '../../tsdb/index.ts'
import type { QueryPool } from '../query/query-pool.ts'
import { sendSuccess } from './envelope.ts'
import { BadRequestError, paramsOf } from './params.ts'

export interface StatusApiOptions {
  readonly tsdb: Tsdb
  readonly pool: QueryPool
  readonly flags: ReadonlyMap<string, string>
  readonly registries: readonly Registry[]
  readonly buildInfo: Readonly<Record<string, string>>
  readonly startTimeMs: number
  readonly nowMs: () => number
  readonly configYaml: () => string
  readonly lastReload: () => { readonly successful: boolean; readonly timeMs: number }
  /** As it is shown: `15d` or `15d or 512MB`. */
  readonly retentionText: () => string
}

const TOP_LIMIT = 10
const TOP_LIMIT_MAX = 10_000

/** `/status/*`, relative to `/api/v1`. */
export function registerStatusApi(app: FastifyInstance, options: StatusApiOptions): void {
  const { tsdb } = options
  app.get('/status/config', (_request, reply) => sendSuccess(reply, { yaml: options.configYaml() }))
  app.get('/status/flags', (_request, reply) => sendSuccess(reply, Object.fromEntries(options.flags)))
  app.get('/status/buildinfo', (_request, reply) => sendSuccess(reply, options.buildInfo))
  app.get('/status/runtimeinfo', (_request, reply) => {
    const { successful, timeMs } = options.lastReload()
    return sendSuccess(reply, {
      startTime: new Date(options.startTimeMs).toISOString(),
      CWD: process.cwd(),
      hostname: hostname(),
      serverTime: new Date(options.nowMs()).toISOString(),
      reloadConfigSuccess: successful,
      lastConfigTime: new Date(timeMs).toISOString(),
      corruptionCount: tsdb.stats().walCorruptions,
      // There are no goroutines; threads are what comes nearest.
      goroutineCount: options.pool.workerCount + 2,
      GOMAXPROCS: options.pool.workerCount + 1,
      GOMEMLIMIT: 0,
      GOGC: '',
      GODEBUG: '',
      storageRetention: options.retentionText(),
    })
  })
  app.get('/status/tsdb', async (request, reply) => {
    const text = paramsOf(request).get('limit') ?? String(TOP_LIMIT)
    const limit = Number(text)
    if (!/^\+?\d+$/.test(text) || limit < 1) throw new BadRequestError('limit must be a positive number')
    if (limit > TOP_LIMIT_MAX) throw new BadRequestError(`limit must not exceed ${TOP_LIMIT_MAX}`)
    const top = await options.pool.run<TsdbCardinality>('cardinality', { limit })
    const { numSeries, numLabelPairs, chunkCount, minTimeMs, maxTimeMs } = tsdb.stats()
    return sendSuccess(reply, {
      headStats: { numSeries, numLabelPairs, chunkCount, minTime: minTimeMs, maxTime: maxTimeMs },
      ...top,
    })
  })
  app.get('/status/tsdb/blocks', (_request, reply) => sendSuccess(reply, { blocks: tsdb.blocks() }))
  app.get('/status/self_metrics', async (request, reply) => {
    const pattern = patternParam(paramsOf(request).get('metric_name_pattern') ?? '')
    const families = (await Promise.all(options.registries.map((registry) => registry.getMetricsAsJSON()))).flat()
    return sendSuccess(
      reply,
      families.filter(({ name }) => pattern.matches(name)),
    )
  })
  app.get('/status/walreplay', (_request, reply) => sendSuccess(reply, tsdb.walStatus()))
}

function patternParam(text: string): AnchoredRegex {
  try {
    return compileAnchored(text === '' ? '.*' : text)
  } catch (cause) {
    throw new BadRequestError(`invalid metric_name_pattern: ${(cause as Error).message}`, { cause })
  }
}
