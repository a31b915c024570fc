import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from '../create.ts'
import { addressesOf, cleanUp, follow, parts, serve, until } from '../testing.ts'

afterEach(cleanUp)

const instance = (id: string, address: string) => ({
  Node: {
    Node: `node-${id}`,
    Address: '10.0.0.1',
    Meta: { 'rack-no': '7' },
    TaggedAddresses: { wan: '198.51.100.1' },
  },
  Service: { ID: id, Service: 'web', Address: address, Port: 8080, Tags: ['canary', 'v1'], Meta: { version: '2' } },
  Checks: [
    { CheckID: 'a', Status: 'passing' },
    { CheckID: 'b', Status: 'warning' },
  ],
})

/** A Consul that holds questions with the current index back until something changes. */
class ConsulDouble {
  index = 10
  services: Record<string, string[]> = { web: ['canary', 'v1'], other: [] }
  instances: Record<string, unknown[]> = { web: [instance('web-1', '10.0.0.5')], other: [instance('other-1', '')] }
  readonly asked: string[] = []
  tokens: (string | string[] | undefined)[] = []
  #waiting: { path: string; response: ServerResponse }[] = []

  readonly handler = (
    request: { url?: string; headers: Record<string, string | string[] | undefined> },
    response: ServerResponse,
  ) => {
    const url = new URL(request.url!, 'http://consul')
    this.asked.push(`${url.pathname}${url.search}`)
    this.tokens.push(request.headers['x-consul-token'])
    const path = url.pathname.replace('/consul', '')
    if (url.searchParams.get('index') === String(this.index)) this.#waiting.push({ path, response })
    else this.#answer(path, response)
  }

  change(): void {
    this.index++
    for (const { path, response } of this.#waiting.splice(0)) this.#answer(path, response)
  }

  #answer(path: string, response: ServerResponse): void {
    response.setHeader('x-consul-index', String(this.index))
    response.setHeader('content-type', 'application/json')
    const service = /^\/v1\/health\/service\/(.+)$/.exec(path)?.[1]
    const body =
      path === '/v1/agent/self'
        ? { Config: { Datacenter: 'dc1' } }
        : path === '/v1/catalog/services'
          ? this.services
          : (this.instances[service!] ?? [])
    response.end(JSON.stringify(body))
  }
}

test('services come, change and go with blocking queries', async () => {
  const consul = new ConsulDouble()
  const server = (await serve(consul.handler as never)).slice('http://'.length)
  const { targets } = follow(
    createDiscovery(
      { kind: 'consul', server, pathPrefix: '/consul', token: 'secret', refreshIntervalMs: 20, nodeMeta: { a: 'b' } },
      parts,
    ),
  )
  const found = await until(() => targets()?.length === 2 && targets())
  expect(addressesOf(found)).toEqual(['10.0.0.1:8080', '10.0.0.5:8080'])
  expect(found.find((target) => target['__meta_consul_service'] === 'web')).toEqual({
    __address__: '10.0.0.5:8080',
    __meta_consul_address: '10.0.0.1',
    __meta_consul_dc: 'dc1',
    __meta_consul_health: 'warning',
    __meta_consul_metadata_rack_no: '7',
    __meta_consul_node: 'node-web-1',
    __meta_consul_service: 'web',
    __meta_consul_service_address: '10.0.0.5',
    __meta_consul_service_id: 'web-1',
    __meta_consul_service_metadata_version: '2',
    __meta_consul_service_port: '8080',
    __meta_consul_tagged_address_wan: '198.51.100.1',
    __meta_consul_tags: ',canary,v1,',
  })
  expect(consul.tokens.every((token) => token === 'secret')).toBe(true)
  expect(consul.asked.some((url) => url.includes('stale=') && url.includes('node-meta=a%3Ab'))).toBe(true)

  // Nothing changes: the questions wait, none is asked twice.
  await until(() => consul.asked.filter((url) => url.includes('index=10')).length >= 3)
  const before = consul.asked.length
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(consul.asked.length).toBe(before)

  consul.instances['web']!.push(instance('web-2', '10.0.0.6'))
  consul.change()
  await until(() => targets()?.length === 3)
  delete consul.services['web']
  consul.change()
  await until(() => targets()?.length === 1)
})

test('named services need no catalogue; all tags must be there', async () => {
  const consul = new ConsulDouble()
  const server = (await serve(consul.handler as never)).slice('http://'.length)
  const base = { kind: 'consul', server, refreshIntervalMs: 20, datacenter: 'dc2', allowStale: false } as const
  const named = follow(createDiscovery({ ...base, services: ['web'], tagSeparator: ';' }, parts))
  const [target] = await until(named.targets)
  expect(target).toMatchObject({ __meta_consul_dc: 'dc2', __meta_consul_tags: ';canary;v1;' })
  expect(consul.asked.some((url) => url.includes('catalog') || url.includes('stale'))).toBe(false)

  const tagged = follow(createDiscovery({ ...base, tags: ['canary', 'missing'] }, parts))
  expect(await until(tagged.targets)).toEqual([])
})
