import type { FastifyInstance, FastifyReply } from 'fastify'
import { errorMessage } from '../../lib/index.ts'

export interface ManagementOptions {
  /** The page of `/metrics`, in text format 0.0.4. */
  readonly metrics: () => Promise<string>
  /** @throws when the new configuration cannot be used; nothing has changed then */
  readonly reload: () => Promise<void>
  readonly quit: () => void
  /** `--web.enable-lifecycle`. */
  readonly lifecycleEnabled: boolean
  readonly version: Readonly<Record<string, string>>
}

export const HEALTHY_TEXT = 'Prometheus Server is Healthy.\n'
export const READY_TEXT = 'Prometheus Server is Ready.\n'

const TEXT = 'text/plain; charset=utf-8'

/** `/-/…`, `/metrics`, `/version`: texts and codes are Prometheus'. */
export function registerManagement(app: FastifyInstance, options: ManagementOptions): void {
  const text = (reply: FastifyReply, status: number, body: string): FastifyReply =>
    reply.code(status).header('content-type', TEXT).send(body)

  app.get('/-/healthy', (_request, reply) => text(reply, 200, HEALTHY_TEXT))
  app.get('/-/ready', (_request, reply) => text(reply, 200, READY_TEXT))
  app.get('/metrics', async (_request, reply) => {
    const body = await options.metrics()
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(body)
  })
  app.get('/version', (_request, reply) => reply.send(options.version))

  const lifecycle = (url: string, action: (reply: FastifyReply) => Promise<FastifyReply> | FastifyReply): void => {
    app.route({
      method: ['POST', 'PUT'],
      url,
      handler: (_request, reply) =>
        options.lifecycleEnabled ? action(reply) : text(reply, 403, 'Lifecycle API is not enabled.'),
    })
    app.get(url, (_request, reply) => text(reply, 405, 'Only POST or PUT requests allowed'))
  }
  lifecycle('/-/reload', async (reply) => {
    try {
      await options.reload()
      return reply.code(200).send()
    } catch (error) {
      return text(reply, 500, `failed to reload config: ${errorMessage(error)}\n`)
    }
  })
  lifecycle('/-/quit', (reply) => {
    setImmediate(options.quit)
    return text(reply, 200, 'Requesting termination... Goodbye!')
  })
}
