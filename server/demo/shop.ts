import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../lib/index.ts'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '../../lib/metrics.ts'

/** When the shop has its bad time, in milliseconds after it started. */
export interface ErrorPhase {
  readonly fromMs: number
  readonly toMs: number
}

export interface Shop {
  readonly url: string
  /** Whether checkouts fail now and then. */
  inErrorPhase(): boolean
  close(): Promise<void>
}

interface Route {
  readonly method: string
  readonly route: string
  readonly typicalMs: number
}

const ROUTES: readonly Route[] = [
  { method: 'GET', route: '/products', typicalMs: 8 },
  { method: 'GET', route: '/cart', typicalMs: 15 },
  { method: 'POST', route: '/checkout', typicalMs: 60 },
]
const FAILING_SHARE = 0.6
const DECLINED_SHARE = 0.03

/** A small web shop as anyone would instrument it with prom-client: request durations, process metrics, business counters. */
export async function startShop(options: {
  readonly port: number
  readonly clock: Clock
  readonly errorPhase: ErrorPhase
}): Promise<Shop> {
  const { clock, errorPhase } = options
  const startMs = clock.nowMs()
  const inErrorPhase = (): boolean => {
    const ageMs = clock.nowMs() - startMs
    return ageMs >= errorPhase.fromMs && ageMs < errorPhase.toMs
  }
  const metrics = createShopMetrics()
  const server = createServer((request, response) => {
    void answer(request, response, { clock, metrics, inErrorPhase })
  })
  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    inErrorPhase,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type ShopMetrics = ReturnType<typeof createShopMetrics>

function createShopMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    durations: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'How long requests took, in seconds.',
      labelNames: ['method', 'route', 'status_code'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
      registers,
    }),
    orders: new Counter({ name: 'shop_orders_total', help: 'Orders taken.', labelNames: ['payment'], registers }),
    revenue: new Counter({ name: 'shop_revenue_euros_total', help: 'Revenue in euros.', registers }),
    carts: new Gauge({ name: 'shop_open_carts', help: 'Carts that wait for a checkout.', registers }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  shop: { readonly clock: Clock; readonly metrics: ShopMetrics; readonly inErrorPhase: () => boolean },
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]
  if (path === '/metrics') {
    response.setHeader('content-type', shop.metrics.registry.contentType)
    response.end(await shop.metrics.registry.metrics())
    return
  }
  const startedMs = performance.now()
  const known = ROUTES.find(({ method, route }) => method === request.method && route === path)
  request.resume()
  const status = known === undefined ? 404 : await serve(known, shop)
  response.writeHead(status).end(`${status}\n`)
  const labels = { method: request.method ?? '', route: known?.route ?? 'other', status_code: String(status) }
  shop.metrics.durations.observe(labels, (performance.now() - startedMs) / 1000)
}

async function serve(
  { route, typicalMs }: Route,
  { clock, metrics, inErrorPhase }: Parameters<typeof answer>[2],
): Promise<number> {
  // Most requests are near the typical time, a few take several times as long.
  const durationMs = typicalMs * (0.5 + Math.random() ** 4 * 6)
  await new Promise<void>((resolve) => clock.schedule(durationMs, resolve))
  if (route === '/cart') metrics.carts.set(Math.round(20 + 10 * Math.sin(clock.nowMs() / 30_000) + Math.random() * 3))
  if (route !== '/checkout') return 200
  if (inErrorPhase() && Math.random() < FAILING_SHARE) return 500
  if (Math.random() < DECLINED_SHARE) return 402
  metrics.orders.inc({ payment: Math.random() < 0.7 ? 'card' : 'invoice' })
  metrics.revenue.inc(Math.round(500 + Math.random() * 9500) / 100)
  return 201
}
