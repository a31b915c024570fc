import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../lib/index.ts'
import { createDiscovery } from '../create.ts'
import { addressesOf, cleanUp, follow, onCleanUp, parts, until } from '../testing.ts'
import { JuteReader, JuteWriter } from './jute.ts'
import { ZookeeperClient } from './zookeeper-client.ts'

afterEach(cleanUp)

const NO_NODE = -101
const NO_AUTH = -102

/** A server of one tree that speaks the wire protocol: sessions, reads with one-time watches, pings. */
class Ensemble {
  readonly nodes = new Map<string, string>()
  /** Paths that nobody may read. */
  readonly closed = new Set<string>()
  readonly #sockets = new Set<Socket>()
  readonly #watches = new Map<string, Set<Socket>>()
  readonly #server = createServer((socket) => this.#serve(socket))

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    onCleanUp(() => {
      this.hangUp()
      return new Promise((resolve) => this.#server.close(resolve))
    })
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  set(path: string, data: string | undefined): void {
    const isNew = !this.nodes.has(path)
    if (data === undefined) this.nodes.delete(path)
    else this.nodes.set(path, data)
    this.#fire(path)
    if (isNew || data === undefined) this.#fire(path.slice(0, path.lastIndexOf('/')))
  }

  #fire(path: string): void {
    for (const socket of this.#watches.get(path) ?? []) {
      socket.write(new JuteWriter().int(-1).long(-1n).int(0).int(3).int(3).text(path).frame())
    }
    this.#watches.delete(path)
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let received = Buffer.alloc(0)
    let greeted = false
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE()) {
        const length = received.readInt32BE()
        const frame = new JuteReader(received.subarray(4, 4 + length))
        received = received.subarray(4 + length)
        if (greeted) this.#answer(socket, frame)
        else socket.write(new JuteWriter().int(0).int(10_000).long(1n).buffer(Buffer.alloc(16)).frame())
        greeted = true
      }
    })
  }

  #answer(socket: Socket, frame: JuteReader): void {
    const xid = frame.int()
    const operation = frame.int()
    const head = (error: number) => new JuteWriter().int(xid).long(1n).int(error)
    if (operation === 11 || operation === -11) return void socket.write(head(0).frame())
    const path = frame.text()
    const isThere = this.nodes.has(path)
    // Only `exists` may watch what is not there.
    if (isThere || operation === 3) this.#watches.set(path, (this.#watches.get(path) ?? new Set()).add(socket))
    if (!isThere) return void socket.write(head(NO_NODE).frame())
    if (operation !== 3 && this.closed.has(path)) return void socket.write(head(NO_AUTH).frame())
    if (operation === 4)
      return void socket.write(
        head(0)
          .buffer(Buffer.from(this.nodes.get(path)!))
          .frame(),
      )
    const names = [...this.nodes.keys()]
      .filter((name) => name.startsWith(`${path}/`))
      .map((name) => name.slice(path.length + 1))
    const below = names.filter((name) => !name.includes('/'))
    const writer = head(0).int(below.length)
    for (const name of below) writer.text(name)
    socket.write(writer.frame())
  }
}

const nerve = (host: string, port: number) => JSON.stringify({ host, port, name: `${host}-name` })

test('Nerve: members of a tree, as they come, change and go, also over a lost connection', async () => {
  const ensemble = new Ensemble()
  ensemble.set('/monitoring', '')
  ensemble.set('/monitoring/web', '')
  ensemble.set('/monitoring/web/one', nerve('a', 1))
  const server = await ensemble.listen()
  const paths = ['/monitoring', '/later']
  const { targets } = follow(createDiscovery({ kind: 'nerve', servers: [server], paths }, parts))
  expect(await until(() => (targets()?.length === 1 ? targets() : undefined))).toEqual([
    {
      __address__: 'a:1',
      __meta_nerve_path: '/monitoring/web/one',
      __meta_nerve_endpoint_host: 'a',
      __meta_nerve_endpoint_port: '1',
      __meta_nerve_endpoint_name: 'a-name',
    },
  ])
  const are = (...addresses: string[]) => until(() => addressesOf(targets())?.join() === addresses.join())
  ensemble.set('/monitoring/web/two', nerve('b', 2))
  await are('a:1', 'b:2')
  ensemble.set('/monitoring/web/one', nerve('a', 3))
  await are('a:3', 'b:2')
  ensemble.set('/monitoring/web/two', undefined)
  await are('a:3')
  // A path that comes later is waited for.
  ensemble.set('/later', nerve('late', 4))
  await are('a:3', 'late:4')

  ensemble.set('/monitoring/web/one', nerve('a', 5))
  ensemble.hangUp()
  ensemble.set('/monitoring/db', nerve('c', 6))
  await are('a:5', 'c:6', 'late:4')
})

test('serversets: the service and its further endpoints', async () => {
  const ensemble = new Ensemble()
  const member = {
    serviceEndpoint: { host: 'h', port: 31_337 },
    additionalEndpoints: { 'health-check': { host: 'h', port: 31_338 } },
    status: 'ALIVE',
    shard: 7,
  }
  ensemble.set('/aurora', 'no member')
  ensemble.set('/aurora/member_0000000001', JSON.stringify(member))
  const servers = [await ensemble.listen()]
  const { targets } = follow(createDiscovery({ kind: 'serverset', servers, paths: ['/aurora'] }, parts))
  expect(await until(() => (targets()?.length ? targets() : undefined))).toEqual([
    {
      __address__: 'h:31337',
      __meta_serverset_path: '/aurora/member_0000000001',
      __meta_serverset_status: 'ALIVE',
      __meta_serverset_shard: '7',
      __meta_serverset_endpoint_host: 'h',
      __meta_serverset_endpoint_port: '31337',
      __meta_serverset_endpoint_host_health_check: 'h',
      __meta_serverset_endpoint_port_health_check: '31338',
    },
  ])
})

test('a node that may not be read is warned about, those beside it and below them are told', async () => {
  const ensemble = new Ensemble()
  ensemble.set('/monitoring', '')
  ensemble.set('/monitoring/secret', nerve('s', 9))
  ensemble.set('/monitoring/web', '')
  ensemble.set('/monitoring/web/one', nerve('a', 1))
  ensemble.closed.add('/monitoring/secret')
  const servers = [await ensemble.listen()]
  const warned: unknown[] = []
  const logger = pino({ level: 'warn' }, { write: (line) => warned.push((JSON.parse(line) as { path: string }).path) })
  const config = { kind: 'nerve', servers, paths: ['/monitoring'] } as const
  const { targets } = follow(createDiscovery(config, { ...parts, logger }))
  await until(() => addressesOf(targets())?.join() === 'a:1')
  expect(warned).toEqual(['/monitoring/secret'])
})

test('a closed session lets go of a server that does not hang up', async () => {
  let isGone = false
  let isGreeted = false
  // It never ends its half of the connection.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const greeting = new JuteWriter().int(0).int(100).long(1n).buffer(Buffer.alloc(16)).frame()
    socket.once('data', () => socket.write(greeting, () => (isGreeted = true)))
    // Seldom enough to be silent in between; who is gone does not take it.
    const timer = setInterval(() => socket.write(Buffer.of(0)), 500)
    socket.on('error', () => (isGone = true))
    socket.on('close', () => clearInterval(timer))
    onCleanUp(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onCleanUp(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const client = new ZookeeperClient(
    `127.0.0.1:${port}`,
    { timeoutMs: 100, clock: systemClock },
    { onChange: () => undefined, onEnd: () => undefined },
  )
  onCleanUp(() => client.close())
  await until(() => isGreeted)
  client.close()
  await until(() => isGone)
})
