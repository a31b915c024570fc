/** What is answered ahead of the router, and without it: it is built when somebody first asks for anything else. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Logger } from '../../lib/index.ts'
import type { RemoteWriteApiOptions } from '../remote-write/answer.ts'
import { directRemoteWrite } from '../remote-write/routes.ts'
import type { Settings } from '../settings.ts'
import { metricsPage, type Stack } from '../stack.ts'
import { addDirectQueries, type QueryApiOptions } from './api-query.ts'
import { type DirectHandler, type DirectRoutes, sendDirect, textHandler } from './direct.ts'
import { failureOf } from './envelope.ts'
import { HEALTHY_TEXT, READY_TEXT } from './management.ts'
import { staysOnThisMachine } from './request-facts.ts'

/** Those of the main port. */
export function addDirectRoutes(
  direct: DirectRoutes,
  stack: Stack,
  { settings, logger }: { readonly settings: Settings; readonly logger: Logger },
): void {
  const { routePrefix } = settings
  addDirectQueries(direct, `${routePrefix}/api/v1`, queryOptions(stack, settings))
  direct.add('POST', `${routePrefix}/api/v1/write`, directRemoteWrite(remoteWriteOptions(stack, settings, logger)))
  direct.add(
    'GET',
    `${routePrefix}/metrics`,
    metricsHandler(() => metricsPage(stack.registries)),
  )
  direct.add('GET', `${routePrefix}/-/healthy`, textHandler(HEALTHY_TEXT))
  direct.add('GET', `${routePrefix}/-/ready`, textHandler(READY_TEXT))
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const pack = promisify(gzip)

function metricsHandler(page: () => Promise<string>): DirectHandler {
  return async (request, response) => {
    try {
      const text = await page()
      const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'])) && !staysOnThisMachine(request)
      if (takesGzip) {
        const headers = ['Content-Type', METRICS_TYPE, 'Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding']
        sendDirect(response, 200, headers, await pack(text, { level: 1 }))
      } else sendDirect(response, 200, ['Content-Type', METRICS_TYPE], text)
      return 200
    } catch (error) {
      const { status, body } = failureOf(error)
      sendDirect(response, status, ['Content-Type', 'application/json; charset=utf-8'], body)
      return status
    }
  }
}

export const queryOptions = (stack: Stack, settings: Settings): QueryApiOptions => ({
  pool: stack.pool,
  tiny: stack.tinyQueries,
  nowMs: () => Date.now(),
  timeoutMs: settings.queryTimeoutMs,
  queryLog: stack.queryLog,
  promql: settings.promql,
})

export const remoteWriteOptions = (stack: Stack, settings: Settings, logger: Logger): RemoteWriteApiOptions => ({
  receiver: settings.remoteWriteEnabled ? stack.remoteWrite : undefined,
  acceptedMessages: settings.remoteWriteMessages,
  logger: logger.child({ module: 'remote-write' }),
})
