import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { DashboardStore, StoredDashboard } from '../../dashboards/index.ts'
import { AppError } from '../../lib/index.ts'
import { paramsOf } from './params.ts'

interface SaveBody {
  readonly dashboard?: unknown
  readonly overwrite?: unknown
  readonly folderUid?: unknown
  readonly message?: unknown
}

/**
 * Dashboards by Grafana's addresses and shapes, relative to the route prefix: `/api/dashboards/…`, `/api/search`,
 * `/api/folders`, `/api/user/stars/…`. Failures are `{message}`, as its clients expect.
 */
export async function registerDashboardsApi(
  root: FastifyInstance,
  store: DashboardStore,
  routePrefix: string,
): Promise<void> {
  await root.register(
    async (app) => {
      app.setErrorHandler((error, _request, reply) => {
        const status =
          error instanceof AppError ? error.httpStatus : ((error as { statusCode?: number }).statusCode ?? 500)
        return reply
          .code(status)
          .send({ message: (error as Error).message, ...(status === 412 ? { status: 'version-mismatch' } : {}) })
      })
      const urlOf = ({ uid, title }: { uid: string; title: string }): string =>
        `${routePrefix}/d/${uid}/${slugOf(title)}`

      app.post('/dashboards/db', async (request) => {
        const body = (request.body ?? {}) as SaveBody
        const saved = await store.save({
          dashboard: body.dashboard,
          overwrite: body.overwrite === true,
          ...(typeof body.folderUid === 'string' ? { folderUid: body.folderUid } : {}),
          ...(typeof body.message === 'string' ? { message: body.message } : {}),
        })
        return {
          id: idOf(saved.uid),
          uid: saved.uid,
          url: urlOf(saved),
          status: 'success',
          version: saved.version,
          slug: slugOf(saved.title),
        }
      })

      app.get('/dashboards/uid/:uid', async (request) => {
        const found = await store.get(uidOf(request))
        return {
          dashboard: { ...found.json, uid: found.uid, version: found.version },
          meta: metaOf(found, urlOf(found)),
        }
      })
      app.delete('/dashboards/uid/:uid', async (request) => {
        const { title, uid } = await store.remove(uidOf(request))
        return { title, message: `Dashboard ${title} deleted`, id: idOf(uid) }
      })
      app.get('/dashboards/uid/:uid/versions', async (request) => {
        const versions = await store.versions(uidOf(request))
        return {
          versions: versions.map(({ version, savedAtMs, message }) => ({
            version,
            created: new Date(savedAtMs).toISOString(),
            message,
          })),
        }
      })
      app.get('/dashboards/uid/:uid/versions/:version', async (request) => {
        const version = Number((request.params as { version: string }).version)
        return { version, data: await store.version(uidOf(request), version) }
      })
      app.post('/dashboards/uid/:uid/restore', async (request) => {
        const version = Number((request.body as { version?: unknown } | undefined)?.version)
        const dashboard = await store.version(uidOf(request), version)
        const saved = await store.save({ dashboard, overwrite: true, message: `Restored version ${version}` })
        return {
          uid: saved.uid,
          url: urlOf(saved),
          status: 'success',
          version: saved.version,
          slug: slugOf(saved.title),
        }
      })

      app.get('/search', async (request, reply) => search(store, request, reply, urlOf))
      app.get('/folders', () => store.folders())
      app.post('/folders', async (request) => {
        const body = (request.body ?? {}) as { title?: unknown; uid?: unknown }
        return store.createFolder(String(body.title ?? ''), typeof body.uid === 'string' ? body.uid : undefined)
      })
      app.post('/user/stars/dashboard/uid/:uid', async (request) => {
        await store.star(uidOf(request), true)
        return { message: 'Dashboard starred!' }
      })
      app.delete('/user/stars/dashboard/uid/:uid', async (request) => {
        await store.star(uidOf(request), false)
        return { message: 'Dashboard unstarred' }
      })
    },
    { prefix: '/api' },
  )
}

async function search(
  store: DashboardStore,
  request: FastifyRequest,
  reply: FastifyReply,
  urlOf: (board: StoredDashboard) => string,
): Promise<FastifyReply> {
  const params = paramsOf(request)
  const words = (params.get('query') ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const tags = params.getAll('tag')
  const folders = params.getAll('folderUIDs').flatMap((text) => text.split(','))
  const uids = params.getAll('dashboardUIDs').flatMap((text) => text.split(','))
  const limit = Number(params.get('limit') ?? 1000)
  const boards = params.get('type') === 'dash-folder' ? [] : await store.list()
  const found = boards.filter(
    (board) =>
      words.every((word) => board.title.toLowerCase().includes(word)) &&
      tags.every((tag) => board.tags.includes(tag)) &&
      (folders.length === 0 || folders.includes(board.folderUid)) &&
      (uids.length === 0 || uids.includes(board.uid)) &&
      (params.get('starred') !== 'true' || board.isStarred),
  )
  return reply.send(
    found.slice(0, Number.isFinite(limit) && limit > 0 ? limit : 1000).map((board) => ({
      id: idOf(board.uid),
      uid: board.uid,
      title: board.title,
      uri: `db/${slugOf(board.title)}`,
      url: urlOf(board),
      type: 'dash-db',
      tags: board.tags,
      isStarred: board.isStarred,
      provisioned: board.provisioned,
      ...(board.folderTitle === '' ? {} : { folderUid: board.folderUid, folderTitle: board.folderTitle }),
    })),
  )
}

function metaOf(board: StoredDashboard, url: string): Record<string, unknown> {
  return {
    type: 'db',
    canSave: !board.provisioned,
    canEdit: true,
    canStar: true,
    isStarred: board.isStarred,
    slug: slugOf(board.title),
    url,
    version: board.version,
    updated: new Date(board.savedAtMs).toISOString(),
    folderUid: board.folderUid,
    folderTitle: board.folderTitle === '' ? 'General' : board.folderTitle,
    provisioned: board.provisioned,
    ...(board.file === undefined ? {} : { provisionedExternalId: board.file }),
  }
}

function uidOf(request: FastifyRequest): string {
  return (request.params as { uid: string }).uid
}

/** Grafana's clients expect a number beside the uid; this one follows from it. */
function idOf(uid: string): number {
  let hash = 0
  for (const character of uid) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0
  return (hash >>> 1) + 1
}

function slugOf(title: string): string {
  const slug = title
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return slug === '' ? '-' : slug.slice(0, 80)
}
