// Two whole servers with the same rules page once: through a partition that heals, and when one is killed.
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'

const PEER_TIMEOUT_MS = 4000
/** Long enough for the second instance to have had its turn. */
const BOTH_TURNS_MS = PEER_TIMEOUT_MS + 4000

interface Page {
  readonly kind: string
  readonly status: string
  /** Of the server that sent it. */
  readonly from: string
}

/** What one server reaches the other through, until it is cut. */
class Link {
  targetPort = 0
  isCut = false
  readonly #sockets = new Set<Socket>()
  readonly #server: TcpServer = createTcpServer((socket) => {
    if (this.isCut) {
      socket.destroy()
      return
    }
    const onward = connect(this.targetPort, '127.0.0.1')
    for (const one of [socket, onward]) {
      this.#sockets.add(one)
      one.on('error', () => undefined).on('close', () => this.#sockets.delete(one))
    }
    socket.pipe(onward).pipe(socket)
    socket.on('close', () => onward.destroy())
    onward.on('close', () => socket.destroy())
  })

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cut(): void {
    this.isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const folder = temporaryFolder()
const down = new Set<string>()
const pages: Page[] = []
const links = { toA: new Link(), toB: new Link() }
const urls = { toA: '', toB: '' }
const httpServers: Server[] = []
let a: Belltower
let b: Belltower

async function listen(server: Server): Promise<number> {
  httpServers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function start(name: string, peerUrl: string): Promise<Belltower> {
  return startBelltower(folder.path, [
    `--config.file=${join(folder.path, `${name}.yml`)}`,
    `--alertmanager.config.file=${join(folder.path, 'alertmanager.yml')}`,
    `--storage.tsdb.path=${join(folder.path, name)}`,
    `--cluster.peer=${peerUrl}`,
    `--cluster.peer-name=${name}`,
    `--cluster.peer-timeout=${PEER_TIMEOUT_MS}ms`,
    `--cluster.key-file=${join(folder.path, 'cluster.key')}`,
  ])
}

const portOf = (server: Belltower): number => Number(new URL(server.url).port)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const pagesOf = (kind: string): Page[] => pages.filter((page) => page.kind === kind && page.status === 'firing')

async function json<T>(server: Belltower, path: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const answer = await fetch(`${server.url}${path}`, { ...init, headers: { 'content-type': 'application/json' } })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

async function peersAlive(server: Belltower): Promise<number> {
  const page = await (await server.get('/alertmanager/metrics')).text()
  return Number(/^alertmanager_cluster_members (\d+)$/m.exec(page)?.[1])
}

const untilMembers = (server: Belltower, count: number): Promise<true> =>
  waitFor(`${count} members`, async () => ((await peersAlive(server)) === count ? true : undefined))

const untilPaged = (kind: string, count: number): Promise<true> =>
  waitFor(`page ${count} about ${kind}`, async () => (pagesOf(kind).length >= count ? true : undefined), 30_000)

const silence = (server: Belltower, kind: string): Promise<unknown> =>
  json(server, '/alertmanager/api/v2/silences', {
    matchers: [{ name: 'kind', value: kind, isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'test',
    comment: 'test',
  })

const untilSilenced = (server: Belltower, kind: string): Promise<true> =>
  waitFor(`the silence of ${kind}`, async () => {
    const silences = await json<{ matchers: { value: string }[] }[]>(server, '/alertmanager/api/v2/silences')
    return silences.some(({ matchers }) => matchers[0]?.value === kind) ? true : undefined
  })

beforeAll(async () => {
  const targetPort = await listen(
    createServer((_request, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      response.end(`shop_up 1\n${[...down].map((kind) => `shop_down{kind="${kind}"} 1\n`).join('')}`)
    }),
  )
  const hookPort = await listen(
    createServer((request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => (text += chunk.toString()))
      request.on('end', () => {
        const { status, groupLabels, externalURL } = JSON.parse(text) as {
          status: string
          groupLabels: { kind: string }
          externalURL: string
        }
        pages.push({ kind: groupLabels.kind, status, from: new URL(externalURL).origin })
        response.end()
      })
    }),
  )
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder.path, name))
    writeFileSync(
      join(folder.path, `${name}.yml`),
      `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: { replica: ${name} } }
rule_files: [rules.yml]
alerting: { alert_relabel_configs: [{ regex: replica, action: labeldrop }] }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['127.0.0.1:${targetPort}'] }] }]
`,
    )
  }
  writeFileSync(
    join(folder.path, 'rules.yml'),
    `groups: [{ name: shop, interval: 1s, rules: [{ alert: ShopDown, expr: shop_down == 1 }] }]\n`,
  )
  writeFileSync(
    join(folder.path, 'alertmanager.yml'),
    `route: { receiver: hook, group_by: [kind], group_wait: 1s, group_interval: 2s, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://127.0.0.1:${hookPort}/' }] }]
`,
  )
  writeFileSync(join(folder.path, 'cluster.key'), 'a key that both of them have\n')
  urls.toA = await links.toA.open()
  urls.toB = await links.toB.open()
  a = await start('a', urls.toB)
  links.toA.targetPort = portOf(a)
  b = await start('b', urls.toA)
  links.toB.targetPort = portOf(b)
}, 60_000)

afterAll(async () => {
  await a?.stop()
  await b?.stop()
  for (const link of Object.values(links)) await link.close()
  for (const server of httpServers) {
    server.closeAllConnections()
    server.close()
  }
  folder.remove()
}, 60_000)

test('one page, not two; silences and acknowledgements hold on both', async () => {
  await untilMembers(a, 2)
  await untilMembers(b, 2)
  await silence(b, 'quiet')
  await untilSilenced(a, 'quiet')
  down.add('quiet')
  down.add('first')
  await untilPaged('first', 1)
  await sleep(BOTH_TURNS_MS)
  expect(pagesOf('first')).toMatchObject([{ from: a.url }])
  expect(pagesOf('quiet')).toEqual([])
  const group = { groupKey: '{}:{kind="first"}', by: 'Ann', comment: '' }
  await json(b, '/api/belltower/v1/alerting/acknowledgements', group)
  await waitFor('the acknowledgement', async () => {
    const found = await json<{ by: string }[]>(a, '/api/belltower/v1/alerting/acknowledgements')
    return found.some(({ by }) => by === 'Ann') ? true : undefined
  })
}, 60_000)

test('a partition: nobody goes without a page, at most one comes twice; healed, the states agree', async () => {
  for (const link of Object.values(links)) link.cut()
  await untilMembers(a, 1)
  await untilMembers(b, 1)
  down.add('second')
  await silence(a, 'later')
  await untilPaged('second', 1)
  await sleep(BOTH_TURNS_MS)
  const duringPartition = pagesOf('second').length
  expect(duringPartition).toBeGreaterThanOrEqual(1)
  expect(duringPartition).toBeLessThanOrEqual(2)
  for (const link of Object.values(links)) link.isCut = false
  await untilMembers(a, 2)
  await untilMembers(b, 2)
  await untilSilenced(b, 'later')
  down.add('third')
  await untilPaged('third', 1)
  await sleep(BOTH_TURNS_MS)
  expect(pagesOf('third')).toHaveLength(1)
  expect(pagesOf('second')).toHaveLength(duringPartition)
}, 90_000)

test('one is killed: the other pages, and what was told is not told again when the first comes back', async () => {
  await a.kill()
  down.add('fourth')
  await untilPaged('fourth', 1)
  a = await start('a', urls.toB)
  links.toA.targetPort = portOf(a)
  await untilMembers(b, 2)
  await sleep(BOTH_TURNS_MS)
  expect(pagesOf('fourth')).toMatchObject([{ from: b.url }])
  expect(pagesOf('first')).toHaveLength(1)
}, 90_000)
