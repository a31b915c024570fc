import type { FastifyInstance } from 'fastify'
import type { ScrapeManager } from '../../scraper/index.ts'
import type { AlertmanagersConfig } from '../config/load.ts'
import { sendSuccess } from './envelope.ts'
import { paramsOf } from './params.ts'

export interface TargetsApiOptions {
  readonly scrapes: ScrapeManager
  readonly alertmanagers: () => readonly AlertmanagersConfig[]
}

/** `/targets`, `/scrape_pools`, `/alertmanagers`, relative to `/api/v1`. */
export function registerTargetsApi(app: FastifyInstance, options: TargetsApiOptions): void {
  const { scrapes } = options
  app.get('/targets', (request, reply) => {
    const params = paramsOf(request)
    const state = params.get('state') ?? 'any'
    const pool = params.get('scrapePool') ?? ''
    const inPool = (item: { readonly scrapePool: string }): boolean => pool === '' || item.scrapePool === pool
    const active = state === 'dropped' ? [] : scrapes.targets().filter(inPool)
    const dropped = state === 'active' ? [] : scrapes.droppedTargets().filter(inPool)
    const droppedCounts = Object.fromEntries(scrapes.scrapePools().map((name) => [name, 0]))
    for (const target of scrapes.droppedTargets()) droppedCounts[target.scrapePool]!++
    return sendSuccess(reply, { activeTargets: active, droppedTargets: dropped, droppedTargetCounts: droppedCounts })
  })
  app.get('/scrape_pools', (_request, reply) => sendSuccess(reply, { scrapePools: scrapes.scrapePools() }))
  app.get('/alertmanagers', (_request, reply) => {
    const activeAlertmanagers = options.alertmanagers().flatMap(({ scheme, pathPrefix, targets }) =>
      targets.flatMap((group) =>
        group.targets.map((address) => ({
          url: `${scheme}://${address}${pathPrefix.replace(/\/$/, '')}/api/v2/alerts`,
        })),
      ),
    )
    return sendSuccess(reply, { activeAlertmanagers, droppedAlertmanagers: [] })
  })
}
