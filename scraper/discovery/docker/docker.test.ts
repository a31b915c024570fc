import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, jsonPages, parts, serve, until } from '../testing.ts'

afterEach(cleanUp)

const NETWORKS = [
  { Id: 'n1', Name: 'front', Scope: 'local', Internal: false, Ingress: false, Labels: { 'com.x-y': 'z' } },
  { Id: 'n2', Name: 'back', Scope: 'local', Internal: true, Ingress: false, Labels: {} },
]
const attached = {
  front: { NetworkID: 'n1', IPAddress: '172.1.0.2' },
  back: { NetworkID: 'n2', IPAddress: '172.2.0.2' },
}
const CONTAINERS = [
  {
    Id: 'c1',
    Names: ['/web'],
    Labels: { 'com.docker.compose.service': 'web' },
    HostConfig: { NetworkMode: 'front' },
    NetworkSettings: { Networks: attached },
    Ports: [
      { Type: 'tcp', PrivatePort: 8080, PublicPort: 80, IP: '0.0.0.0' },
      { Type: 'udp', PrivatePort: 53 },
    ],
  },
  {
    Id: 'c2',
    Names: ['/host'],
    Labels: {},
    HostConfig: { NetworkMode: 'host' },
    NetworkSettings: { Networks: { host: { NetworkID: 'n1', IPAddress: '' } } },
    Ports: [],
  },
  {
    Id: 'c3',
    Names: ['/sidecar'],
    Labels: {},
    HostConfig: { NetworkMode: 'container:c1' },
    NetworkSettings: { Networks: {} },
    Ports: null,
  },
]

test('containers over a Unix socket: networks, ports, host mode, shared networks', async () => {
  const { handler, asked } = jsonPages({ '/containers/json': CONTAINERS, '/networks': NETWORKS })
  const host = await serve(handler, join(mkdtempSync(join(tmpdir(), 'belltower-docker-')), 'docker.sock'))
  const filters = [{ name: 'label', values: ['a=b', 'c'] }]
  const { targets } = follow(createDiscovery({ kind: 'docker', host, filters, port: 9100 }, parts))
  const found = await until(targets)
  expect(found).toEqual([
    {
      __address__: '172.2.0.2:8080',
      __meta_docker_container_id: 'c1',
      __meta_docker_container_name: '/web',
      __meta_docker_container_network_mode: 'front',
      __meta_docker_container_label_com_docker_compose_service: 'web',
      __meta_docker_network_id: 'n2',
      __meta_docker_network_name: 'back',
      __meta_docker_network_scope: 'local',
      __meta_docker_network_internal: 'true',
      __meta_docker_network_ingress: 'false',
      __meta_docker_network_ip: '172.2.0.2',
      __meta_docker_port_private: '8080',
      __meta_docker_port_public: '80',
      __meta_docker_port_public_ip: '0.0.0.0',
    },
    expect.objectContaining({ __address__: 'localhost', __meta_docker_container_name: '/host' }),
    expect.objectContaining({ __address__: '172.2.0.2:9100', __meta_docker_container_name: '/sidecar' }),
  ])
  const query = new URL(asked[0]!.url!, 'http://x').searchParams
  expect(JSON.parse(query.get('filters')!)).toEqual({ label: ['a=b', 'c'] })
})

test('every network where the configuration wants them', async () => {
  const { handler } = jsonPages({ '/containers/json': CONTAINERS.slice(0, 1), '/networks': NETWORKS })
  const host = await serve(handler)
  const { targets } = follow(createDiscovery({ kind: 'docker', host, matchFirstNetwork: false }, parts))
  const found = await until(targets)
  expect(found.map((target) => target['__meta_docker_network_name'])).toEqual(['back', 'front'])
  expect(found[1]).toMatchObject({ __meta_docker_network_label_com_x_y: 'z' })
})

test('an answer that is none keeps the last targets', async () => {
  const pages: Record<string, unknown> = { '/containers/json': CONTAINERS.slice(0, 1), '/networks': NETWORKS }
  const { handler, asked } = jsonPages(pages)
  let failures = 0
  const { targets, updates } = follow(
    createDiscovery(
      { kind: 'docker', host: await serve(handler), refreshIntervalMs: 20 },
      {
        ...parts,
        onFailure: () => failures++,
      },
    ),
  )
  await until(targets)
  delete pages['/containers/json']
  const before = asked.length
  await until(() => failures > 1 && asked.length > before)
  const seen = updates()
  await until(() => failures > 3)
  expect(updates()).toBe(seen)
  expect(targets()).toHaveLength(1)
})
