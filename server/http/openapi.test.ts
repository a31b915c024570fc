import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { createAlertmanager, ownAlertsApi } from '../../alertmanager/index.ts'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { registerOpenApi } from './openapi.ts'

const PREFIX = '/api/belltower/v1'
/** Between instances; nobody else has the key. */
const INTERNAL = ['post /alerting/cluster/exchange']

test('the description has every address of the alerting interface, with its methods and places', async () => {
  const alertmanager = await createAlertmanager({
    dataDir: undefined,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: 'http://x',
    httpClientFactory: () => ({ request: () => Promise.reject(new Error('none')), close: async () => {} }),
  })
  const app = Fastify({
    exposeHeadRoutes: false,
    routerOptions: { querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown> },
  })
  try {
    const served: string[] = []
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat())
        served.push(`${one.toLowerCase()} ${url.slice(PREFIX.length).replace(/:(\w+)/g, '{$1}')}`)
    })
    await app.register(ownAlertsApi(alertmanager), { prefix: PREFIX })
    registerOpenApi(app, '1')
    const document = parse((await app.inject('/openapi.yaml')).payload) as {
      paths: Record<string, Record<string, { requestBody?: object; responses: object }>>
    }
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path.slice(PREFIX.length)}`),
    )
    const isAlerting = (text: string): boolean => / \/(?:alerting\/|ack$)/.test(text)
    expect(described.filter(isAlerting).sort()).toEqual(
      served.filter((one) => isAlerting(one) && !INTERNAL.includes(one)).sort(),
    )
    expect(document.paths[`${PREFIX}/alerting/on-call/overrides`]!['post']!.requestBody).toEqual({
      required: true,
      content: {
        'application/json': {
          schema: expect.objectContaining({ type: 'object', required: ['schedule', 'people', 'to'] }) as object,
        },
      },
    })
  } finally {
    await app.close()
    await alertmanager.stop()
  }
})
