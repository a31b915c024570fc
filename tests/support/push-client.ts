import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fastify, type FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { afterEach } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { parseSelector } from '../../promql/index.ts'
import {
  createPushgateway,
  type Pushgateway,
  pushgatewayApi,
  type PushgatewayOptions,
  pushGroupsApi,
} from '../../pushgateway/index.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Removed after the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pushgateway-'))
  cleanups.push(() => rm(path, { recursive: true }))
  return path
}

export interface Client {
  readonly app: FastifyInstance
  readonly gateway: Pushgateway
  /** `status text` */
  send(method: string, path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<string>
  /** Pushed samples of the page, without times and own metrics. */
  pushed(): Promise<string[]>
  page(): Promise<string>
  close(): Promise<void>
}

/** A gateway behind its API; it ends with the test. */
export async function start(options: Partial<PushgatewayOptions> = {}, prefix = ''): Promise<Client> {
  const clock = options.clock ?? new ManualClock(1_700_000_000_500)
  const gateway = await createPushgateway({
    dataDir: undefined,
    clock,
    logger: silentLogger,
    registry: new Registry(),
    ...options,
  })
  const app = fastify()
  await app.register(pushgatewayApi(gateway), { prefix })
  const pushGroups = pushGroupsApi(gateway, { nowMs: () => clock.nowMs(), parseSelector })
  await app.register(pushGroups, { prefix: `${prefix}/api/belltower/v1` })
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    await app.close()
    await gateway.close()
  }
  cleanups.push(close)
  const page = async (): Promise<string> => (await app.inject({ url: `${prefix}/metrics` })).payload
  return {
    app,
    gateway,
    page,
    close,
    async send(method, path, body = '', headers = {}) {
      const answer = await app.inject({ method: method as 'PUT', url: `${prefix}${path}`, payload: body, headers })
      const location = answer.headers.location
      return `${answer.statusCode} ${location ?? answer.payload.trimEnd()}`.trimEnd()
    },
    async pushed() {
      const lines = (await page()).split('\n')
      return lines.filter((line) => line !== '' && !/^#|^push_(?:failure_)?time_seconds|^pushgateway_/.test(line))
    },
  }
}
