import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { uiAssetsDir, uiContentSecurityPolicy, uiIndexHtml } from '../../dashboards/index.ts'

/** Addresses of the user interface; each is answered with the same page, which reads the address itself. */
const PAGES = [
  '/',
  '/query',
  '/graph',
  '/targets',
  '/alerts',
  '/silences',
  '/on-call',
  '/rules',
  '/routes',
  '/services',
  '/services/*',
  '/push',
  '/status',
  '/d/*',
  '/dashboards',
  '/dashboards/*',
  '/alertmanager/',
  '/pushgateway/',
]

/** @param routePrefix '' or a path such as `/monitoring`, without a slash at its end */
export async function registerUi(app: FastifyInstance, routePrefix: string): Promise<void> {
  const assetsDir = fileURLToPath(uiAssetsDir())
  if (!existsSync(assetsDir)) {
    const hint = 'The user interface has not been built: npm run build\n'
    app.get('/', (_request, reply) => reply.type('text/plain').send(hint))
    return
  }
  const page = await uiIndexHtml(routePrefix)
  await app.register(fastifyStatic, {
    root: assetsDir,
    index: false,
    wildcard: false,
    cacheControl: false,
    // Below assets/ a name changes with its content; the others keep theirs.
    setHeaders: (reply, path) => {
      const isNamedByContent = path.includes('/assets/')
      void reply.header('cache-control', isNamedByContent ? 'public, max-age=31536000, immutable' : 'max-age=300')
    },
  })
  for (const path of PAGES) {
    app.get(path, (_request, reply) =>
      reply
        .header('content-security-policy', uiContentSecurityPolicy)
        .header('cache-control', 'no-cache')
        .type('text/html; charset=utf-8')
        .send(page),
    )
  }
  for (const path of ['/alertmanager', '/pushgateway']) {
    app.get(path, (_request, reply) => reply.redirect(`${routePrefix}${path}/`, 302))
  }
}
