import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Matcher, TimeRange } from '../../model/index.ts'
import { parseSelectorParam } from '../query/selector-param.ts'
import { sendSuccess, UnavailableError } from './envelope.ts'
import { ALL_TIME, BadRequestError, optionalTimeParam, paramsOf } from './params.ts'

/** What the store can do at an administrator's request. */
export interface AdminStore {
  /** Hides samples of the series that match. */
  deleteSeries(matchers: readonly Matcher[], range: TimeRange): Promise<void>
  /** Takes hidden samples off the disk. */
  cleanTombstones(): Promise<void>
  /** @returns the snapshot's name, a folder below `<data>/snapshots` */
  snapshot(options?: { readonly skipHead?: boolean }): Promise<string>
}

/** `/admin/tsdb/*`, relative to `/api/v1`. @param isEnabled `--web.enable-admin-api` */
export function registerAdminApi(app: FastifyInstance, store: AdminStore, isEnabled: boolean): void {
  const admin = (
    name: string,
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
  ): void => {
    app.route({
      method: ['POST', 'PUT'],
      url: `/admin/tsdb/${name}`,
      handler: (request, reply) => {
        if (!isEnabled) throw new UnavailableError('admin APIs disabled')
        return handler(request, reply)
      },
    })
  }
  admin('delete_series', async (request, reply) => {
    const params = paramsOf(request)
    const selectors = params.getAll('match[]')
    if (selectors.length === 0) throw new BadRequestError('no match[] parameter provided')
    const range = {
      minTimeMs: optionalTimeParam(params, 'start', ALL_TIME.minTimeMs),
      maxTimeMs: optionalTimeParam(params, 'end', ALL_TIME.maxTimeMs),
    }
    // Nothing is deleted when one of them does not parse.
    for (const matchers of selectors.map(parseSelectorParam)) await store.deleteSeries(matchers, range)
    return reply.code(204).send()
  })
  admin('clean_tombstones', async (_request, reply) => {
    await store.cleanTombstones()
    return reply.code(204).send()
  })
  admin('snapshot', async (request, reply) => {
    const text = paramsOf(request).get('skip_head') ?? ''
    if (!/^(|1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(text)) {
      throw new BadRequestError(`invalid parameter "skip_head": unable to parse boolean "${text}"`)
    }
    return sendSuccess(reply, { name: await store.snapshot({ skipHead: /^(1|t|true)$/i.test(text) }) })
  })
}
