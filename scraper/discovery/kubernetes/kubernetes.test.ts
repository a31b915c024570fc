import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { labelValue } from '../../../model/index.ts'
import { createDiscovery } from '../create.ts'
import type { TargetGroup } from '../discovery.ts'
import { addressesOf, cleanUp, follow, onCleanUp, parts, serve, until } from '../testing.ts'
import type { KubernetesSdConfig } from './config.ts'
import { ApiServer, type Item } from './testing-api-server.ts'

afterEach(cleanUp)

const pod = (name: string, ip: string, more: Record<string, unknown> = {}): Item => ({
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    labels: { 'app.kubernetes.io/name': 'web' },
    annotations: { 'prometheus.io/scrape': 'true' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web-abc', controller: true }],
  },
  spec: {
    nodeName: 'n1',
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [
          { name: 'http', containerPort: 8080, protocol: 'TCP' },
          { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
        ],
      },
    ],
    initContainers: [{ name: 'setup', image: 'setup:1' }],
  },
  status: {
    podIP: ip,
    hostIP: '10.0.0.1',
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'web', containerID: 'docker://abc' }],
  },
  ...more,
})

const PODS = '/api/v1/pods'
const NODES = '/api/v1/nodes'

async function discover(api: ApiServer, config: Partial<KubernetesSdConfig>) {
  const apiServer = await serve(api.handler)
  return follow(createDiscovery({ kind: 'kubernetes', role: 'pod', apiServer, ...config }, parts))
}

const POD_LABELS = {
  __meta_kubernetes_namespace: 'shop',
  __meta_kubernetes_pod_name: 'web-1',
  __meta_kubernetes_pod_ip: '10.1.0.1',
  __meta_kubernetes_pod_label_app_kubernetes_io_name: 'web',
  __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name: 'true',
  __meta_kubernetes_pod_annotation_prometheus_io_scrape: 'true',
  __meta_kubernetes_pod_annotationpresent_prometheus_io_scrape: 'true',
  __meta_kubernetes_pod_ready: 'true',
  __meta_kubernetes_pod_phase: 'Running',
  __meta_kubernetes_pod_node_name: 'n1',
  __meta_kubernetes_pod_host_ip: '10.0.0.1',
  __meta_kubernetes_pod_uid: 'uid-web-1',
  __meta_kubernetes_pod_controller_kind: 'ReplicaSet',
  __meta_kubernetes_pod_controller_name: 'web-abc',
}

test('pods: a target per container port, with what is attached', async () => {
  const api = new ApiServer()
  api.set(PODS, pod('web-1', '10.1.0.1'))
  api.set(NODES, { metadata: { name: 'n1', labels: { zone: 'a' } } })
  api.set('/api/v1/namespaces', { metadata: { name: 'shop', labels: { team: 'x' } } })
  api.set('/apis/apps/v1/replicasets', {
    metadata: {
      name: 'web-abc',
      namespace: 'shop',
      ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
    },
  })
  const { targets } = await discover(api, { attachNode: true, attachNamespace: true, attachDeployment: true })
  const found = await until(targets)
  expect(addressesOf(found)).toEqual(['10.1.0.1', '10.1.0.1:8080', '10.1.0.1:9090'])
  expect(found.find((target) => target['__address__'] === '10.1.0.1:8080')).toEqual({
    ...POD_LABELS,
    __address__: '10.1.0.1:8080',
    __meta_kubernetes_pod_container_name: 'web',
    __meta_kubernetes_pod_container_id: 'docker://abc',
    __meta_kubernetes_pod_container_image: 'web:1',
    __meta_kubernetes_pod_container_init: 'false',
    __meta_kubernetes_pod_container_port_name: 'http',
    __meta_kubernetes_pod_container_port_number: '8080',
    __meta_kubernetes_pod_container_port_protocol: 'TCP',
    __meta_kubernetes_pod_deployment_name: 'web',
    __meta_kubernetes_node_name: 'n1',
    __meta_kubernetes_node_label_zone: 'a',
    __meta_kubernetes_node_labelpresent_zone: 'true',
    __meta_kubernetes_namespace_label_team: 'x',
    __meta_kubernetes_namespace_labelpresent_team: 'true',
  })
  expect(found.find((target) => target['__address__'] === '10.1.0.1')).toMatchObject({
    __meta_kubernetes_pod_container_init: 'true',
  })
})

test('a watch follows changes, through bookmarks, dropped connections and a forgotten history', async () => {
  const api = new ApiServer()
  for (const i of [1, 2, 3]) api.set(PODS, pod(`web-${i}`, `10.1.0.${i}`))
  const { targets } = await discover(api, {})
  const ips = () => [...new Set(targets()?.map((target) => target['__meta_kubernetes_pod_ip']))].sort()
  await until(() => ips().length === 3)
  const lists = () => api.asked.filter(({ query }) => query.get('watch') === null).length
  const listsAtStart = lists()
  expect(listsAtStart).toBe(2) // Two pages.
  await until(() => api.watches.size === 1)

  api.set(PODS, pod('web-4', '10.1.0.4'))
  api.delete(PODS, 'shop/web-1')
  await until(() => ips().join() === '10.1.0.2,10.1.0.3,10.1.0.4')

  api.bookmark(PODS)
  api.end()
  await until(() => api.watches.size === 1)
  // It went on from the bookmark, without a new list.
  expect(lists()).toBe(listsAtStart)
  expect(Number(api.asked.at(-1)!.query.get('resourceVersion'))).toBe(106)
  api.set(PODS, pod('web-2', '10.1.0.20'))
  await until(() => ips().includes('10.1.0.20'))
  api.drop()
  await until(() => api.watches.size === 1)
  expect(lists()).toBe(listsAtStart)

  api.forget()
  api.delete(PODS, 'shop/web-3')
  await until(() => lists() > listsAtStart)
  await until(() => ips().join() === '10.1.0.20,10.1.0.4')
})

test('what belongs to an object is followed, too; what does not matter is not told', async () => {
  const api = new ApiServer()
  const node = (zone: string, heartbeat: number): Item => ({
    metadata: { name: 'n1', labels: { zone } },
    status: { conditions: [{ type: 'Ready', lastHeartbeatTime: heartbeat }] },
  })
  for (const i of [1, 2, 3]) api.set(PODS, pod(`web-${i}`, `10.1.0.${i}`))
  api.set(NODES, node('a', 1))
  const apiServer = await serve(api.handler)
  const discovery = createDiscovery({ kind: 'kubernetes', role: 'pod', apiServer, attachNode: true }, parts)
  onCleanUp(() => discovery.stop())
  const told: (readonly TargetGroup[])[] = []
  discovery.run((groups) => void told.push(groups))
  const zones = (groups: readonly TargetGroup[] | undefined): string[] =>
    groups?.flatMap(({ targets }) => targets.map((one) => labelValue(one, '__meta_kubernetes_node_label_zone'))) ?? []
  await until(() => zones(told.at(-1)).length === 9 && api.watches.size === 2)
  const before = told.length
  api.set(NODES, node('a', 2))
  api.set(PODS, pod('web-2', '10.1.0.20'))
  const groups = await until(() => told[before])
  // Groups of pods that are as before are the same objects.
  expect(groups.map((group, i) => group === told[before - 1]![i])).toEqual([true, false, true])
  api.set(NODES, node('a', 3))
  api.set(NODES, node('b', 4))
  const moved = await until(() => told[before + 1])
  expect(zones(moved)).toEqual(Array.from({ length: 9 }, () => 'b'))
})

test('a server that ends each watch at once is not asked without pause', async () => {
  const api = new ApiServer()
  api.set(PODS, pod('web-1', '10.1.0.1'))
  let watches = 0
  const apiServer = await serve((request, response) => {
    if (!request.url!.includes('watch=1')) return api.handler(request, response)
    watches++
    response.end()
  })
  const { targets } = follow(createDiscovery({ kind: 'kubernetes', role: 'pod', apiServer }, parts))
  await until(() => watches > 0 && targets()?.length === 3)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(watches).toBe(1)
})

test('nodes, services and ingresses', async () => {
  const api = new ApiServer()
  api.set(NODES, {
    metadata: { name: 'n1', labels: { zone: 'a' } },
    spec: { providerID: 'aws:///i-1' },
    status: {
      addresses: [
        { type: 'Hostname', address: 'host-1' },
        { type: 'InternalIP', address: '10.0.0.1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  })
  expect(await until((await discover(api, { role: 'node' })).targets)).toEqual([
    {
      __address__: '10.0.0.1:10250',
      instance: 'n1',
      __meta_kubernetes_node_name: 'n1',
      __meta_kubernetes_node_provider_id: 'aws:///i-1',
      __meta_kubernetes_node_label_zone: 'a',
      __meta_kubernetes_node_labelpresent_zone: 'true',
      __meta_kubernetes_node_address_Hostname: 'host-1',
      __meta_kubernetes_node_address_InternalIP: '10.0.0.1',
    },
  ])

  api.set('/api/v1/services', {
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.2.0.1',
      loadBalancerIP: '198.51.100.9',
      ports: [{ name: 'http', port: 80 }],
    },
  })
  expect(await until((await discover(api, { role: 'service' })).targets)).toEqual([
    {
      __address__: 'web.shop.svc:80',
      __meta_kubernetes_namespace: 'shop',
      __meta_kubernetes_service_name: 'web',
      __meta_kubernetes_service_type: 'LoadBalancer',
      __meta_kubernetes_service_cluster_ip: '10.2.0.1',
      __meta_kubernetes_service_loadbalancer_ip: '198.51.100.9',
      __meta_kubernetes_service_port_name: 'http',
      __meta_kubernetes_service_port_number: '80',
      __meta_kubernetes_service_port_protocol: 'TCP',
    },
  ])

  api.set('/apis/networking.k8s.io/v1/ingresses', {
    metadata: { name: 'front', namespace: 'shop' },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['*.example.org'] }],
      rules: [
        { host: 'www.example.org', http: { paths: [{ path: '/a' }, { path: '/b' }] } },
        { host: 'plain.example.net', http: { paths: [{}] } },
      ],
    },
  })
  const ingresses = await until((await discover(api, { role: 'ingress' })).targets)
  expect(
    ingresses.map((target) => [
      target['__address__'],
      target['__meta_kubernetes_ingress_scheme'],
      target['__meta_kubernetes_ingress_path'],
      target['__meta_kubernetes_ingress_class_name'],
    ]),
  ).toEqual([
    ['www.example.org', 'https', '/a', 'nginx'],
    ['www.example.org', 'https', '/b', 'nginx'],
    ['plain.example.net', 'http', '/', 'nginx'],
  ])
})

test('endpoints and slices: addresses by port, labels of service and pod, further ports of the pod', async () => {
  const api = new ApiServer()
  api.set(PODS, pod('web-1', '10.1.0.1'))
  api.set('/api/v1/services', { metadata: { name: 'web', namespace: 'shop', labels: { tier: 'front' } } })
  const targetRef = { kind: 'Pod', name: 'web-1', namespace: 'shop' }
  api.set('/api/v1/endpoints', {
    metadata: { name: 'web', namespace: 'shop' },
    subsets: [
      {
        addresses: [{ ip: '10.1.0.1', nodeName: 'n1', targetRef }],
        notReadyAddresses: [{ ip: '10.9.9.9', hostname: 'late' }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ],
  })
  const endpoints = await until((await discover(api, { role: 'endpoints' })).targets)
  expect(addressesOf(endpoints)).toEqual(['10.1.0.1:8080', '10.1.0.1:9090', '10.9.9.9:8080'])
  expect(endpoints[0]).toMatchObject({
    ...POD_LABELS,
    __meta_kubernetes_endpoints_name: 'web',
    __meta_kubernetes_service_label_tier: 'front',
    __meta_kubernetes_endpoint_ready: 'true',
    __meta_kubernetes_endpoint_port_name: 'http',
    __meta_kubernetes_endpoint_port_protocol: 'TCP',
    __meta_kubernetes_endpoint_node_name: 'n1',
    __meta_kubernetes_endpoint_address_target_kind: 'Pod',
    __meta_kubernetes_endpoint_address_target_name: 'web-1',
    __meta_kubernetes_pod_container_port_name: 'http',
  })
  expect(endpoints[1]).toMatchObject({
    __meta_kubernetes_endpoint_ready: 'false',
    __meta_kubernetes_endpoint_hostname: 'late',
  })
  // Found through the pod only.
  expect(endpoints[2]).toMatchObject({ __meta_kubernetes_pod_container_port_name: 'metrics' })
  expect(endpoints[2]).not.toHaveProperty('__meta_kubernetes_endpoint_ready')

  api.set('/apis/discovery.k8s.io/v1/endpointslices', {
    metadata: { name: 'web-x1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.1.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'n1',
        zone: 'z',
        targetRef,
      },
    ],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  })
  const slices = await until((await discover(api, { role: 'endpointslice' })).targets)
  expect(addressesOf(slices)).toEqual(['10.1.0.1:8080', '10.1.0.1:9090'])
  expect(slices[0]).toMatchObject({
    ...POD_LABELS,
    __meta_kubernetes_endpointslice_name: 'web-x1',
    __meta_kubernetes_endpointslice_address_type: 'IPv4',
    __meta_kubernetes_endpointslice_endpoint_conditions_ready: 'true',
    __meta_kubernetes_endpointslice_endpoint_conditions_serving: 'true',
    __meta_kubernetes_endpointslice_endpoint_conditions_terminating: 'false',
    __meta_kubernetes_endpointslice_endpoint_node_name: 'n1',
    __meta_kubernetes_endpointslice_endpoint_zone: 'z',
    __meta_kubernetes_endpointslice_port: '8080',
    __meta_kubernetes_endpointslice_port_name: 'http',
    __meta_kubernetes_endpointslice_port_protocol: 'TCP',
    __meta_kubernetes_service_label_tier: 'front',
  })
})

test("namespaces and selectors are the server's business; a renewed token is used", async () => {
  const api = new ApiServer()
  api.set('/api/v1/namespaces/a/pods', pod('in-a', '10.1.0.1'))
  api.set('/api/v1/namespaces/b/pods', pod('in-b', '10.1.0.2'))
  const tokenFile = join(mkdtempSync(join(tmpdir(), 'belltower-k8s-')), 'token')
  writeFileSync(tokenFile, 'first\n')
  const { targets } = await discover(api, {
    namespaces: ['a', 'b'],
    selectors: [{ role: 'pod', label: 'app=web', field: 'status.phase=Running' }],
    http: { authorization: { type: 'Bearer', credentialsFile: tokenFile } },
  })
  await until(() => targets()?.length === 6)
  await until(() => api.watches.size === 2)
  for (const { query } of api.asked) {
    expect([query.get('labelSelector'), query.get('fieldSelector')]).toEqual(['app=web', 'status.phase=Running'])
  }
  expect(new Set(api.asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer first']))
  writeFileSync(tokenFile, 'second\n')
  api.drop()
  await until(() => api.asked.some(({ authorization }) => authorization === 'Bearer second'))
})

test('a kubeconfig file says where the cluster is', async () => {
  const api = new ApiServer()
  api.set(PODS, pod('web-1', '10.1.0.1'))
  const server = await serve(api.handler)
  const path = join(mkdtempSync(join(tmpdir(), 'belltower-k8s-')), 'config')
  writeFileSync(
    path,
    `current-context: here
contexts: [{ name: here, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "${server}" } }]
users: [{ name: u, user: { token: geheim } }]
`,
  )
  const { targets } = follow(createDiscovery({ kind: 'kubernetes', role: 'pod', kubeconfigFile: path }, parts))
  expect(await until(targets)).toHaveLength(3)
  expect(api.asked[0]?.authorization).toBe('Bearer geheim')
})
