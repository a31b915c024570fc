import type { RequestListener } from 'node:http'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../lib/index.ts'
import { ApiServer, type Item } from '../discovery/kubernetes/testing-api-server.ts'
import { cleanUp, onCleanUp, parts, serve, until } from '../discovery/testing.ts'
import { OPERATOR_KINDS, type OperatorConfig, type OperatorObjects, watchOperator } from './operator.ts'

afterEach(cleanUp)

const GROUP = '/apis/monitoring.coreos.com/v1'
const SERVICE_MONITORS = `${GROUP}/servicemonitors`
const POD_MONITORS = `${GROUP}/podmonitors`
const RULES = `${GROUP}/prometheusrules`

const item = (name: string, spec: object): Item => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}` },
  spec: spec as Record<string, unknown>,
})

type More = Partial<typeof parts> & { readonly handler?: RequestListener }

async function watch(api: ApiServer, config: Partial<OperatorConfig> = {}, { handler, ...more }: More = {}) {
  const apiServer = await serve(handler ?? api.handler)
  const kinds = Object.fromEntries(OPERATOR_KINDS.map((kind) => [kind, '']))
  let found: OperatorObjects | undefined
  const access = { api_server: apiServer }
  const running = watchOperator(
    { apiServer, access, kinds, ...config },
    { ...parts, ...more },
    (objects) => (found = objects),
  )
  onCleanUp(() => running.stop())
  return { apiServer, found: () => found, job: (name: string) => found?.jobs.find((job) => job['job_name'] === name) }
}

test('a ServiceMonitor becomes a job for each endpoint, with the rules that the Operator writes', async () => {
  const api = new ApiServer()
  const secrets = '/api/v1/namespaces/shop/secrets/auth'
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  api.objects.set(secrets, { data: { user: base64('me'), password: base64('geheim') } })
  api.objects.set('/api/v1/namespaces/shop/configmaps/ca', { data: { 'ca.crt': 'PEM' } })
  api.set(
    SERVICE_MONITORS,
    item('web', {
      jobLabel: 'app.kubernetes.io/name',
      targetLabels: ['team'],
      podTargetLabels: ['pod-template-hash'],
      sampleLimit: 1000,
      attachMetadata: { node: true },
      namespaceSelector: { matchNames: ['a', 'b'] },
      selector: {
        matchLabels: { tier: 'front', app: 'web' },
        matchExpressions: [
          { key: 'env', operator: 'In', values: ['prod', 'test'] },
          { key: 'old', operator: 'DoesNotExist' },
        ],
      },
      endpoints: [
        {
          port: 'metrics',
          interval: '15s',
          scheme: 'HTTPS',
          path: '/m',
          params: { a: ['b'] },
          basicAuth: { username: { name: 'auth', key: 'user' }, password: { name: 'auth', key: 'password' } },
          tlsConfig: { ca: { configMap: { name: 'ca', key: 'ca.crt' } }, serverName: 'web', insecureSkipVerify: false },
          relabelings: [{ action: 'LabelDrop', regex: 'pod' }],
          metricRelabelings: [{ sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' }],
        },
        { targetPort: 8080, honorLabels: true, filterRunning: false },
      ],
    }),
  )
  const { apiServer, found, job } = await watch(api)
  await until(found)
  const copied = (what: string, name: string, target: string) => ({
    source_labels: [`__meta_kubernetes_${what}_label_${name}`],
    target_label: target,
    regex: '(.+)',
    replacement: '${1}',
  })
  const selected = (name: string) => [
    `__meta_kubernetes_service_label_${name}`,
    `__meta_kubernetes_service_labelpresent_${name}`,
  ]
  const ofKind = (kind: string, target: string) => ({
    source_labels: ['__meta_kubernetes_endpoint_address_target_kind', '__meta_kubernetes_endpoint_address_target_name'],
    separator: ';',
    regex: `${kind};(.*)`,
    replacement: '${1}',
    target_label: target,
  })
  const chosen = [
    { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' },
    { action: 'keep', source_labels: selected('app'), regex: '(web);true' },
    { action: 'keep', source_labels: selected('tier'), regex: '(front);true' },
    { action: 'keep', source_labels: selected('env'), regex: '(prod|test);true' },
    { action: 'drop', source_labels: ['__meta_kubernetes_service_labelpresent_old'], regex: 'true' },
  ]
  const places = [
    ofKind('Node', 'node'),
    ofKind('Pod', 'pod'),
    { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
    { source_labels: ['__meta_kubernetes_service_name'], target_label: 'service' },
    { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
    { source_labels: ['__meta_kubernetes_pod_container_name'], target_label: 'container' },
  ]
  const names = [
    copied('service', 'team', 'team'),
    copied('pod', 'pod_template_hash', 'pod_template_hash'),
    { source_labels: ['__meta_kubernetes_service_name'], target_label: 'job', replacement: '${1}' },
    copied('service', 'app_kubernetes_io_name', 'job'),
  ]
  const discovery = {
    role: 'endpoints',
    namespaces: { names: ['a', 'b'] },
    api_server: apiServer,
    attach_metadata: { node: true },
  }
  expect(job('serviceMonitor/shop/web/0')).toEqual({
    job_name: 'serviceMonitor/shop/web/0',
    honor_labels: false,
    scrape_interval: '15s',
    metrics_path: '/m',
    params: { a: ['b'] },
    scheme: 'https',
    sample_limit: 1000,
    basic_auth: { username: 'me', password: 'geheim' },
    tls_config: { ca: 'PEM', server_name: 'web', insecure_skip_verify: false },
    kubernetes_sd_configs: [discovery],
    relabel_configs: [
      ...chosen,
      { action: 'keep', source_labels: ['__meta_kubernetes_endpoint_port_name'], regex: 'metrics' },
      ...places,
      { action: 'drop', source_labels: ['__meta_kubernetes_pod_phase'], regex: '(Failed|Succeeded)' },
      ...names,
      { target_label: 'endpoint', replacement: 'metrics' },
      { action: 'labeldrop', regex: 'pod' },
    ],
    metric_relabel_configs: [{ source_labels: ['__name__'], regex: 'go_.*', action: 'drop' }],
  })
  expect(job('serviceMonitor/shop/web/1')).toEqual({
    job_name: 'serviceMonitor/shop/web/1',
    honor_labels: true,
    sample_limit: 1000,
    kubernetes_sd_configs: [discovery],
    relabel_configs: [
      ...chosen,
      { action: 'keep', source_labels: ['__meta_kubernetes_pod_container_port_number'], regex: '8080' },
      ...places,
      ...names,
      { target_label: 'endpoint', replacement: '8080' },
    ],
  })
})

test('a PodMonitor, a Probe and a ScrapeConfig become jobs too', async () => {
  const api = new ApiServer()
  api.set(
    POD_MONITORS,
    item('db', { selector: { matchLabels: { app: 'db' } }, podMetricsEndpoints: [{ port: 'metrics' }] }),
  )
  api.set(
    `${GROUP}/probes`,
    item('home', {
      jobName: 'home',
      module: 'http_2xx',
      prober: { url: 'blackbox:9115' },
      targets: { staticConfig: { static: ['https://example.org'], labels: { env: 'prod' } } },
    }),
  )
  api.set(
    '/apis/monitoring.coreos.com/v1alpha1/scrapeconfigs',
    item('far', {
      jobName: 'far',
      scrapeInterval: '1m',
      staticConfigs: [{ targets: ['far:1'] }],
      kubernetesSDConfigs: [{ role: 'Node' }],
    }),
  )
  const { apiServer, found, job } = await watch(api)
  await until(found)
  expect(job('podMonitor/shop/db/0')).toEqual({
    job_name: 'podMonitor/shop/db/0',
    honor_labels: false,
    kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: ['shop'] }, api_server: apiServer }],
    relabel_configs: [
      { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' },
      { action: 'drop', source_labels: ['__meta_kubernetes_pod_phase'], regex: '(Failed|Succeeded)' },
      {
        action: 'keep',
        source_labels: ['__meta_kubernetes_pod_label_app', '__meta_kubernetes_pod_labelpresent_app'],
        regex: '(db);true',
      },
      { action: 'keep', source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'metrics' },
      { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
      { source_labels: ['__meta_kubernetes_pod_container_name'], target_label: 'container' },
      { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
      { target_label: 'job', replacement: 'shop/db' },
      { target_label: 'endpoint', replacement: 'metrics' },
    ],
  })
  expect(job('probe/shop/home')).toEqual({
    job_name: 'probe/shop/home',
    honor_timestamps: true,
    metrics_path: '/probe',
    params: { module: ['http_2xx'] },
    static_configs: [{ targets: ['https://example.org'], labels: { namespace: 'shop', env: 'prod' } }],
    relabel_configs: [
      { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' },
      { target_label: 'job', replacement: 'home' },
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: 'blackbox:9115' },
    ],
  })
  expect(job('scrapeConfig/shop/far')).toEqual({
    job_name: 'scrapeConfig/shop/far',
    scrape_interval: '1m',
    static_configs: [{ targets: ['far:1'], labels: {} }],
    kubernetes_sd_configs: [{ api_server: apiServer, role: 'node' }],
    relabel_configs: [
      { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' },
      { target_label: 'job', replacement: 'far', action: 'replace' },
    ],
  })
})

test('objects come, change and go; one that cannot be used is left out, a kind that is not known is no fault', async () => {
  const api = new ApiServer()
  api.unknown = /probes|scrapeconfigs/
  const group = { name: 'g', partial_response_strategy: 'warn', rules: [{ record: 'a:b', expr: 'sum(up)' }] }
  api.set(RULES, item('first', { groups: [group] }))
  api.set(
    POD_MONITORS,
    item('secretive', {
      podMetricsEndpoints: [{ bearerTokenSecret: { name: 'none', key: 'token' } }],
    }),
  )
  api.objects.set('/api/v1/namespaces/shop/secrets/none', { data: {} })
  api.set(SERVICE_MONITORS, item('web', { endpoints: [{ port: 'http' }] }))
  const { found } = await watch(api)
  const names = () => found()?.jobs.map((job) => job['job_name'])
  await until(() => names()?.join() === 'serviceMonitor/shop/web/0')
  expect(found()!.ruleFiles).toEqual([
    { name: 'shop-first-uid-first.yaml', groups: [{ name: 'g', rules: [{ record: 'a:b', expr: 'sum(up)' }] }] },
  ])
  api.set(SERVICE_MONITORS, item('web', { endpoints: [{ port: 'http' }, { port: 'more' }] }))
  api.delete(RULES, 'shop/first')
  await until(() => names()?.length === 2 && found()!.ruleFiles.length === 0)
  api.delete(SERVICE_MONITORS, 'shop/web')
  await until(() => names()?.length === 0)
})

test('namespaces and selectors narrow what is asked for', async () => {
  const api = new ApiServer()
  api.set(`${GROUP}/namespaces/a/servicemonitors`, item('one', { endpoints: [{}] }))
  const { found } = await watch(api, { namespaces: ['a', 'b'], kinds: { ServiceMonitor: 'team=front' } })
  await until(found)
  expect(found()!.jobs).toHaveLength(1)
  const lists = api.asked.filter(({ query }) => !query.has('watch'))
  expect(lists.map(({ path, query }) => `${path}?${query.get('labelSelector')}`).sort()).toEqual([
    `${GROUP}/namespaces/a/servicemonitors?team=front`,
    `${GROUP}/namespaces/b/servicemonitors?team=front`,
  ])
})

test('an object that names a Secret in a way that is no name is left out, and nothing is read', async () => {
  const names = ['../../kube-system/secrets/admin', '..', 'a/b', 'admin?x', '%2e%2e', 'Admin', 'x'.repeat(254)]
  const api = new ApiServer()
  api.objects.set('/api/v1/namespaces/kube-system/secrets/admin', { data: { key: 'geheim' } })
  for (const [i, name] of names.entries()) {
    const key = { name, key: 'key' }
    api.set(SERVICE_MONITORS, item(`${i}`, { endpoints: [{ bearerTokenSecret: key }] }))
    api.set(POD_MONITORS, item(`${i}`, { podMetricsEndpoints: [{ tlsConfig: { ca: { configMap: key } } }] }))
  }
  api.set(SERVICE_MONITORS, item('web', { endpoints: [{ port: 'http' }] }))
  const reasons: string[] = []
  const write = (line: string): void => void reasons.push((JSON.parse(line) as { reason: string }).reason)
  const { found } = await watch(api, {}, { logger: pino({ level: 'warn' }, { write }) })
  await until(found)
  expect(found()!.jobs.map((job) => job['job_name'])).toEqual(['serviceMonitor/shop/web/0'])
  expect(reasons).toEqual(
    ['bearerTokenSecret', 'tlsConfig.ca.configMap'].flatMap((field) =>
      names.map((name) => expect.stringContaining(`${field}.name ${JSON.stringify(name)}`) as unknown),
    ),
  )
  expect(api.asked.filter(({ path }) => path.startsWith('/api/v1'))).toEqual([])
})

test.each(['answers 500', 'hangs up'])(
  'while the cluster %s where a Secret is asked for the last jobs stay in use; without the Secret they go',
  async (how) => {
    const api = new ApiServer()
    const secret = (token: string) =>
      api.objects.set('/api/v1/namespaces/shop/secrets/auth', {
        data: { token: Buffer.from(token).toString('base64') },
      })
    secret('one')
    const endpoint = { bearerTokenSecret: { name: 'auth', key: 'token' } }
    api.set(SERVICE_MONITORS, item('web', { endpoints: [endpoint] }))
    let isBroken = false
    const handler: RequestListener = (request, response) => {
      if (!isBroken || !request.url!.includes('/secrets/')) api.handler(request, response)
      else if (how === 'hangs up') response.destroy()
      else response.writeHead(500).end()
    }
    // Secrets are read again soon after a failure only: the usual time is longer than this test.
    const clock: Clock = {
      ...systemClock,
      schedule: (delayMs, callback) => systemClock.schedule(delayMs === 10_000 ? 20 : delayMs, callback),
    }
    const { found, job } = await watch(api, {}, { handler, clock })
    const token = () => job('serviceMonitor/shop/web/0')?.['bearer_token']
    await until(() => token() === 'one')

    isBroken = true
    api.set(SERVICE_MONITORS, item('also', { endpoints: [{ port: 'http' }, endpoint] }))
    api.set(POD_MONITORS, item('more', { podMetricsEndpoints: [{ port: 'http' }] }))
    await until(() => job('podMonitor/shop/more/0'))
    expect(found()!.jobs.map((one) => one['job_name'])).toEqual(['serviceMonitor/shop/web/0', 'podMonitor/shop/more/0'])
    expect(token()).toBe('one')

    secret('two')
    isBroken = false
    await until(() => token() === 'two')
    expect(job('serviceMonitor/shop/also/1')).toMatchObject({ bearer_token: 'two' })

    api.unknown = /secrets/
    api.delete(POD_MONITORS, 'shop/more')
    await until(() => found()!.jobs.length === 0)
  },
)

test('a Secret that may not be read is asked for less and less often', async () => {
  const api = new ApiServer()
  api.set(SERVICE_MONITORS, item('web', { endpoints: [{ bearerTokenSecret: { name: 'auth', key: 'token' } }] }))
  const handler: RequestListener = (request, response) => {
    if (request.url!.includes('/secrets/')) response.writeHead(403).end()
    else api.handler(request, response)
  }
  const pausesS: number[] = []
  const clock: Clock = {
    ...systemClock,
    schedule(delayMs, callback) {
      if (delayMs < 10_000) return systemClock.schedule(delayMs, callback)
      pausesS.push(delayMs / 1000)
      return systemClock.schedule(20, callback)
    },
  }
  await watch(api, {}, { handler, clock })
  await until(() => pausesS.length >= 7)
  expect(pausesS.slice(0, 7)).toEqual([10, 20, 40, 80, 160, 180, 180])
})
