import type { FastifyInstance } from 'fastify'
import { parse, stringify } from 'yaml'
import {
  formatDuration,
  type Labels,
  labelsToRecord,
  labelValue,
  type Matcher,
  matches,
  type MetricMetadata,
} from '../../model/index.ts'
import { parseSelector } from '../../promql/index.ts'
import type { ActiveTarget, ScrapeManager } from '../../scraper/index.ts'
import type { ExternalAlertmanagers } from '../external-alertmanagers.ts'
import { sendSuccess } from './envelope.ts'
import { registerRelabelSteps, ScrapePoolNotFoundError } from './api-relabel-steps.ts'
import { BadRequestError, paramsOf, plainLimitParam } from './params.ts'

export interface TargetsApiOptions {
  readonly scrapes: ScrapeManager
  /** As `/status/config` shows it. */
  readonly configYaml: () => string
  /** What senders of samples have said of their metrics. */
  readonly remoteMetadata: () => ReadonlyMap<string, MetricMetadata>
  /** Those outside of this process. */
  readonly alertmanagers: () => Pick<ExternalAlertmanagers, 'urls' | 'dropped'>
}

/** `/targets`, `/targets/metadata`, `/scrape_pools`, `/alertmanagers`, `/metadata`, relative to `/api/v1`. */
export function registerTargetsApi(app: FastifyInstance, options: TargetsApiOptions): void {
  const { scrapes } = options
  app.get('/targets', (request, reply) => {
    const params = paramsOf(request)
    const state = (params.get('state') ?? '').toLowerCase()
    const shows = (kind: string): boolean => state === '' || state === 'any' || state === kind
    const pool = params.get('scrapePool') ?? ''
    const inPool = (item: { readonly scrapePool: string }): boolean => pool === '' || item.scrapePool === pool
    return sendSuccess(reply, {
      activeTargets: shows('active') ? scrapes.targets().filter(inPool).map(targetJson) : [],
      droppedTargets: shows('dropped') ? scrapes.droppedTargets().filter(inPool).map(droppedJson) : [],
      droppedTargetCounts: scrapes.droppedTargetCounts(),
    })
  })
  app.get('/targets/metadata', (request, reply) => {
    const params = paramsOf(request)
    const limit = plainLimitParam(params)
    const metric = params.get('metric') ?? ''
    const selector = params.get('match_target') ?? ''
    const matchers = selector === '' ? [] : matchTargetParam(selector)
    const rows = scrapes
      .metadata((target) => matchesAll(matchers, target))
      .flatMap(({ target, metadata }) =>
        [...metadata]
          .filter(([name]) => metric === '' || name === metric)
          .map(([name, entry]) => ({
            target: labelsToRecord(target),
            ...(metric === '' ? { metric: name } : {}),
            ...metadataJson(entry),
          })),
      )
    return sendSuccess(reply, rows.slice(0, limit))
  })
  app.get('/metadata', (request, reply) => {
    const params = paramsOf(request)
    const merged = mergedMetadata(
      [...scrapes.metadata().map(({ metadata }) => metadata), options.remoteMetadata()],
      params.get('metric') ?? '',
      {
        limit: plainLimitParam(params),
        perMetric: plainLimitParam(params, 'limit_per_metric'),
      },
    )
    return sendSuccess(reply, merged)
  })
  registerRelabelSteps(app, scrapes)
  app.get('/scrape_pools/config', (request, reply) => {
    const pool = paramsOf(request).get('scrapePool') ?? ''
    if (pool === '') throw new BadRequestError('no scrapePool parameter provided')
    const { scrape_configs: jobs = [] } = parse(options.configYaml()) as { scrape_configs?: { job_name?: string }[] }
    const job = jobs.find(({ job_name }) => job_name === pool)
    if (job === undefined) throw new ScrapePoolNotFoundError(`scrape pool ${JSON.stringify(pool)} not found`)
    return sendSuccess(reply, { yaml: stringify(job) })
  })
  app.get('/scrape_pools', (_request, reply) => sendSuccess(reply, { scrapePools: scrapes.scrapePools() }))
  app.get('/alertmanagers', (_request, reply) => {
    const { urls, dropped } = options.alertmanagers()
    return sendSuccess(reply, {
      activeAlertmanagers: urls.map((url) => ({ url: `${url}/api/v2/alerts` })),
      droppedAlertmanagers: dropped.map((labels) => {
        const { __scheme__: scheme, __address__: address, __alerts_path__: path } = labelsToRecord(labels)
        return { url: `${scheme}://${address}${path}` }
      }),
    })
  })
}

const droppedJson = ({ discoveredLabels, scrapePool }: ReturnType<ScrapeManager['droppedTargets']>[number]) => ({
  discoveredLabels: labelsToRecord(discoveredLabels),
  scrapePool,
})

function targetJson(target: ActiveTarget) {
  return {
    discoveredLabels: labelsToRecord(target.discoveredLabels),
    labels: labelsToRecord(target.labels),
    scrapePool: target.scrapePool,
    scrapeUrl: target.scrapeUrl,
    globalUrl: target.scrapeUrl,
    lastError: target.lastError,
    lastScrape: target.lastScrapeMs === 0 ? '0001-01-01T00:00:00Z' : new Date(target.lastScrapeMs).toISOString(),
    lastScrapeDuration: target.lastScrapeDurationMs / 1000,
    health: target.health,
    scrapeInterval: formatDuration(target.scrapeIntervalMs),
    scrapeTimeout: formatDuration(target.scrapeTimeoutMs),
  }
}

function matchTargetParam(text: string): readonly Matcher[] {
  try {
    return parseSelector(text)
  } catch (cause) {
    throw new BadRequestError(`invalid parameter "match_target": ${(cause as Error).message}`, { cause })
  }
}

/** What all targets say of each metric, each different statement once. */
function mergedMetadata(
  sources: readonly ReadonlyMap<string, MetricMetadata>[],
  wanted: string,
  limits: { limit: number; perMetric: number },
) {
  const merged = new Map<string, Map<string, ReturnType<typeof metadataJson>>>()
  for (const metadata of sources) {
    for (const [name, entry] of metadata) {
      if (wanted !== '' && name !== wanted) continue
      let entries = merged.get(name)
      if (!entries) {
        if (merged.size >= limits.limit) continue
        merged.set(name, (entries = new Map()))
      }
      if (limits.perMetric > 0 && entries.size >= limits.perMetric) continue
      const json = metadataJson(entry)
      entries.set(JSON.stringify(json), json)
    }
  }
  return Object.fromEntries([...merged].map(([name, entries]) => [name, [...entries.values()]]))
}

const metadataJson = ({ type, help, unit }: MetricMetadata) => ({ type, help, unit })

const matchesAll = (matchers: readonly Matcher[], labels: Labels): boolean =>
  matchers.every((matcher) => matches(matcher, labelValue(labels, matcher.name)))
