/** Everything below `/api/v1` and `/api/belltower/v1`, and `/federate`. */
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../../lib/index.ts'
import { labelsFromRecord } from '../../model/index.ts'
import { registerOtlp } from '../otlp/routes.ts'
import { registerRemoteRead } from '../remote-read/routes.ts'
import { registerRemoteWrite } from '../remote-write/routes.ts'
import type { HttpMetrics } from '../self-metrics.ts'
import { retentionText, type Settings } from '../settings.ts'
import type { Stack } from '../stack.ts'
import { BUILD_INFO } from '../version.ts'
import { registerAdminApi } from './api-admin.ts'
import { registerColumnsApi } from './api-columns.ts'
import { registerExemplarsApi } from './api-exemplars.ts'
import { registerExplainApi } from './api-explain.ts'
import { registerFeaturesApi } from './api-features.ts'
import { registerMetadataApi } from './api-metadata.ts'
import { registerQueryApi } from './api-query.ts'
import { registerRulesApi } from './api-rules.ts'
import { registerRunningQueriesApi } from './api-running-queries.ts'
import { registerStatusApi } from './api-status.ts'
import { registerTargetsApi } from './api-targets.ts'
import { queryOptions, remoteWriteOptions } from './direct-api.ts'
import { registerOpenApi } from './openapi.ts'
import { registerFederate } from './federate.ts'
import { registerNotifications } from './notifications.ts'

export interface ApiOptions {
  readonly settings: Settings
  /** As `/api/v1/status/flags` shows them. */
  readonly flags: ReadonlyMap<string, string>
  readonly logger: Logger
  readonly startTimeMs: number
  readonly metrics: HttpMetrics
}

const nowMs = (): number => Date.now()

/** Prometheus' HTTP API, relative to `/api/v1`. */
export async function registerApi(api: FastifyInstance, stack: Stack, options: ApiOptions): Promise<void> {
  const { settings, flags, logger } = options
  const { pool, tsdb } = stack
  await registerCors(api, settings.corsOrigin)
  // A body that is no form is not looked at, as in Go: vmalert says JSON and sends nothing.
  api.removeContentTypeParser(['application/json', 'text/plain'])
  api.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
  const configYaml = (): string => stack.config().yaml
  registerQueryApi(api, queryOptions(stack, settings))
  registerExemplarsApi(api, tsdb, settings.promql)
  registerMetadataApi(api, pool)
  registerTargetsApi(api, {
    scrapes: stack.scrapes,
    alertmanagers: () => stack.externalAlertmanagers,
    remoteMetadata: () => stack.remoteMetadata.entries,
    configYaml,
  })
  registerRulesApi(api, stack.rules)
  registerAdminApi(api, tsdb, settings.adminApiEnabled)
  registerNotifications(api, stack.notifications, settings.notificationsSubscribersMax)
  registerFeaturesApi(api, {
    enabled: new Set((flags.get('enable-feature') ?? '').split(',')),
    adminApi: settings.adminApiEnabled,
    lifecycle: settings.lifecycleEnabled,
    remoteWriteReceiver: settings.remoteWriteEnabled,
    otlpReceiver: settings.otlpEnabled,
  })
  registerOpenApi(api, BUILD_INFO.version ?? '')
  registerStatusApi(api, {
    tsdb,
    pool,
    flags,
    registries: stack.registries,
    buildInfo: BUILD_INFO,
    startTimeMs: options.startTimeMs,
    nowMs,
    configYaml,
    lastReload: () => stack.reloadState,
    retentionText: () => {
      const { timeMs, bytes } = stack.config().retention
      return retentionText(timeMs ?? settings.retentionMs, bytes ?? settings.retentionBytes)
    },
  })
  await api.register((scope) => registerRemoteWrite(scope, remoteWriteOptions(stack, settings, logger)))
  const remoteRead = {
    pool,
    externalLabels: () => labelsFromRecord(stack.config().global.externalLabels),
    samplesMax: settings.remoteReadSamplesMax,
    frameBytesMax: settings.remoteReadFrameBytesMax,
    running: options.metrics.remoteReads,
    timeoutMs: settings.queryTimeoutMs,
  }
  await api.register((scope) => registerRemoteRead(scope, remoteRead))
  const otlp = {
    enabled: settings.otlpEnabled,
    appender: () => tsdb.appender({ stream: 'otlp' }),
    translation: () => ({
      config: stack.config().otlp,
      metadata: stack.remoteMetadata,
      lookbackMs: settings.lookbackDeltaMs,
    }),
    logger: logger.child({ module: 'otlp' }),
  }
  await api.register((scope) => registerOtlp(scope, otlp))
}

/** What Belltower adds, relative to `/api/belltower/v1`. */
export function registerOwnApi(api: FastifyInstance, stack: Stack, settings: Settings): void {
  registerColumnsApi(api, stack.pool, settings.queryTimeoutMs)
  registerExplainApi(api, { pool: stack.pool, nowMs, timeoutMs: settings.queryTimeoutMs, promql: settings.promql })
  registerRunningQueriesApi(api, stack.pool, nowMs)
}

/** Relative to the route prefix. */
export function registerFederation(scope: FastifyInstance, stack: Stack, { settings, metrics }: ApiOptions): void {
  registerFederate(scope, {
    pool: stack.pool,
    nowMs,
    lookbackMs: settings.lookbackDeltaMs,
    externalLabels: () => labelsFromRecord(stack.config().global.externalLabels),
    errors: metrics.federationErrors,
  })
}

async function registerCors(api: FastifyInstance, origin: RegExp): Promise<void> {
  await api.register(cors, {
    origin: origin.source === '^(?:.*)$' ? '*' : origin,
    methods: ['GET', 'POST', 'OPTIONS'],
    allowedHeaders: ['Accept', 'Authorization', 'Content-Type', 'Origin'],
    exposedHeaders: ['Date'],
    strictPreflight: false,
  })
  // Caches must know even where every origin gets the same answer.
  api.addHook('onSend', async (_request, reply) => {
    const vary = String(reply.getHeader('vary') ?? '')
    if (!/\borigin\b/i.test(vary)) reply.header('vary', vary === '' ? 'Origin' : `${vary}, Origin`)
  })
}
