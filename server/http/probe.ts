import type { FastifyInstance } from 'fastify'
import type { Prober } from '../../scraper/index.ts'
import { paramsOf } from './params.ts'

const MODULE_DEFAULT = 'http_2xx'
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const PLAIN_TYPE = 'text/plain; charset=utf-8'

/** `/probe?target=…&module=…`, as blackbox_exporter has it: the probe's failure is data, not an error. */
export function registerProbe(app: FastifyInstance, prober: Prober): void {
  app.get('/probe', async (request, reply) => {
    const params = paramsOf(request)
    const target = params.get('target') ?? ''
    const module = params.get('module') || MODULE_DEFAULT
    const refuse = (why: string) => reply.code(400).type(PLAIN_TYPE).send(`${why}\n`)
    if (target === '') return refuse('Target parameter is missing')
    const hostname = params.get('hostname') ?? ''
    const debug = params.get('debug') === 'true'
    const timeout = Number(request.headers['x-prometheus-scrape-timeout-seconds'])
    const scrapeTimeoutSeconds = Number.isFinite(timeout) ? timeout : undefined
    const probed = await prober.probe({ target, module, hostname, scrapeTimeoutSeconds, debug })
    if (probed === undefined) return refuse(`Unknown module ${JSON.stringify(module)}`)
    return reply.type(debug ? PLAIN_TYPE : METRICS_TYPE).send(probed.body)
  })
}
