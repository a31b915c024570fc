/** What is answered while the store reads its newest samples back: queries, from its blocks. Everything else has to wait. */
import type { Settings } from '../settings.ts'
import type { QuerySide } from '../store-and-queries.ts'
import { addDirectMetadata } from './api-metadata.ts'
import { addDirectQueries } from './api-query.ts'
import { type DirectRoutes, textHandler } from './direct.ts'
import { HEALTHY_TEXT } from './management.ts'

/** Those of the main port. */
export function addEarlyRoutes(direct: DirectRoutes, { pool, log }: QuerySide, settings: Settings): void {
  const { routePrefix } = settings
  const prefix = `${routePrefix}/api/v1`
  addDirectQueries(direct, prefix, {
    pool,
    tiny: undefined,
    nowMs: () => Date.now(),
    timeoutMs: settings.queryTimeoutMs,
    queryLog: log,
    promql: settings.promql,
  })
  addDirectMetadata(direct, prefix, pool)
  direct.add('GET', `${routePrefix}/-/healthy`, textHandler(HEALTHY_TEXT))
}
