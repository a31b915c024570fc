import { generateKeyPairSync } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from './create.ts'
import { cleanUp, follow, jsonPages, parts, serve, targetsOf, until } from './testing.ts'

afterEach(cleanUp)

test('Eureka: every instance of every application', async () => {
  let accept: string | undefined
  const server = await serve((request, response) => {
    accept = request.headers.accept
    response.statusCode = request.url === '/eureka/apps' ? 200 : 404
    response.end(`<applications><versions__delta>1</versions__delta><application><name>META</name>
      <instance><hostName>meta001.example.org</hostName><instanceId>meta001:meta:8080</instanceId><ipAddr>10.0.0.1</ipAddr>
      <status>UP</status><port enabled="true">8080</port><securePort enabled="false">443</securePort><countryId>1</countryId>
      <dataCenterInfo class="x"><name>MyOwn</name><metadata><ami-id>a</ami-id></metadata></dataCenterInfo>
      <metadata><project>foo</project><management.port>9</management.port></metadata>
      <homePageUrl>http://meta001/</homePageUrl><vipAddress>meta</vipAddress></instance>
      <instance><hostName>meta002.example.org</hostName><instanceId>meta002</instanceId></instance>
      </application></applications>`)
  })
  expect(await targetsOf({ kind: 'eureka', server: `${server}/eureka` })).toEqual([
    {
      __address__: 'meta001.example.org:8080',
      instance: 'meta001:meta:8080',
      __meta_eureka_app_name: 'META',
      __meta_eureka_app_instance_hostname: 'meta001.example.org',
      __meta_eureka_app_instance_homepage_url: 'http://meta001/',
      __meta_eureka_app_instance_ip_addr: '10.0.0.1',
      __meta_eureka_app_instance_vip_address: 'meta',
      __meta_eureka_app_instance_status: 'UP',
      __meta_eureka_app_instance_country_id: '1',
      __meta_eureka_app_instance_id: 'meta001:meta:8080',
      __meta_eureka_app_instance_port: '8080',
      __meta_eureka_app_instance_port_enabled: 'true',
      __meta_eureka_app_instance_secure_port: '443',
      __meta_eureka_app_instance_secure_port_enabled: 'false',
      __meta_eureka_app_instance_datacenterinfo_name: 'MyOwn',
      __meta_eureka_app_instance_datacenterinfo_metadata_ami_id: 'a',
      __meta_eureka_app_instance_metadata_project: 'foo',
      __meta_eureka_app_instance_metadata_management_port: '9',
    },
    {
      __address__: 'meta002.example.org:80',
      instance: 'meta002',
      __meta_eureka_app_name: 'META',
      __meta_eureka_app_instance_hostname: 'meta002.example.org',
      __meta_eureka_app_instance_id: 'meta002',
    },
  ])
  expect(accept).toBe('application/xml')
})

test('Marathon: ports by mapping, by definition, and those of the task', async () => {
  const task = { id: 't', host: 'mesos', ports: [31_000, 32_000], ipAddresses: [{ ipAddress: '10.1.0.1' }] }
  const { handler, asked } = jsonPages({
    '/v2/apps/': {
      apps: [
        {
          id: '/mapped',
          labels: { 'a-b': 'c' },
          container: {
            docker: { image: 'img:1' },
            portMappings: [
              { labels: { prometheus: 'yes' }, containerPort: 8080, hostPort: 0 },
              { containerPort: 1234, hostPort: 0 },
            ],
          },
          tasks: [task],
        },
        {
          id: '/contained',
          networks: [{ mode: 'container' }],
          container: { portMappings: [{ containerPort: 8080 }] },
          tasks: [task],
        },
        { id: '/fixed', requirePorts: true, portDefinitions: [{ port: 9999, labels: { x: 'y' } }], tasks: [task] },
        { id: '/plain', tasks: [{ id: 'p', host: 'mesos', ports: [33_000] }] },
      ],
    },
  })
  const found = await targetsOf({ kind: 'marathon', servers: [await serve(handler)], authToken: 'geheim' })
  expect(found.map(({ __address__ }) => __address__)).toEqual([
    'mesos:31000',
    'mesos:32000',
    '10.1.0.1:8080',
    'mesos:9999',
    'mesos:33000',
  ])
  expect(found[0]).toEqual({
    __address__: 'mesos:31000',
    __meta_marathon_app: '/mapped',
    __meta_marathon_image: 'img:1',
    __meta_marathon_app_label_a_b: 'c',
    __meta_marathon_task: 't',
    __meta_marathon_port_index: '0',
    __meta_marathon_port_mapping_label_prometheus: 'yes',
  })
  expect(found[3]).toMatchObject({ __meta_marathon_port_definition_label_x: 'y' })
  expect(asked[0]!.headers.authorization).toBe('token=geheim')
})

test('Kuma: assignments, asked again with the version that is held', async () => {
  const type = 'type.googleapis.com/kuma.observability.v1.MonitoringAssignment'
  const asked: { version_info: string; response_nonce: string; node: { id: string } }[] = []
  const server = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      asked.push(JSON.parse(body) as (typeof asked)[0])
      if (request.url !== '/v3/discovery:monitoringassignments?fetch-timeout=2m') response.statusCode = 404
      else if (asked.length > 1) response.statusCode = 304
      const assignment = {
        '@type': type,
        mesh: 'metrics',
        service: '/meshes/metrics',
        labels: { team: 'infra' },
        targets: [
          { name: 'main-001', scheme: 'HTTP', address: '10.1.4.32:9090', metricsPath: '/m', labels: { commit: 'abc' } },
        ],
      }
      const answer = { version_info: 'v7', nonce: 'n1', type_url: type, resources: [assignment] }
      response.end(response.statusCode === 200 ? JSON.stringify(answer) : '')
    })
  })
  const { targets, updates } = follow(
    createDiscovery({ kind: 'kuma', server, clientId: 'main', refreshIntervalMs: 20 }, parts),
  )
  await until(() => updates() > 1)
  expect(targets()).toEqual([
    {
      __address__: '10.1.4.32:9090',
      __scheme__: 'http',
      __metrics_path__: '/m',
      instance: 'main-001',
      __meta_kuma_mesh: 'metrics',
      __meta_kuma_service: '/meshes/metrics',
      __meta_kuma_dataplane: 'main-001',
      __meta_kuma_label_team: 'infra',
      __meta_kuma_label_commit: 'abc',
    },
  ])
  expect(asked[0]).toMatchObject({ version_info: '', node: { id: 'main' } })
  expect(asked[1]).toMatchObject({ version_info: 'v7', response_nonce: 'n1' })
})

test('Uyuni: endpoints of entitled systems, by XML-RPC', async () => {
  const methods: string[] = []
  const value = (inner: string) =>
    `<methodResponse><params><param><value>${inner}</value></param></params></methodResponse>`
  const struct = (fields: Record<string, string>) =>
    `<struct>${Object.entries(fields)
      .map(([name, inner]) => `<member><name>${name}</name><value>${inner}</value></member>`)
      .join('')}</struct>`
  const list = (inner: string) => `<array><data><value>${inner}</value></data></array>`
  const answers: Record<string, string> = {
    'auth.login': 'a token',
    'system.listSystemGroupsForSystemsWithEntitlement': list(
      struct({ id: '<i4>1000010000</i4>', system_groups: list(struct({ id: '<i4>1</i4>', name: 'east &amp; west' })) }),
    ),
    'system.monitoring.listEndpoints': list(
      struct({
        system_id: '<i4>1000010000</i4>',
        endpoint_name: '<string>e</string>',
        exporter_name: 'node_exporter',
        port: '<int>9100</int>',
        path: '/metrics',
        module: '',
        tls_enabled: '<boolean>1</boolean>',
      }),
    ),
    'system.getNetworkForSystems': list(
      struct({ system_id: '<i4>1000010000</i4>', hostname: 'host', primary_fqdn: 'host.example.org' }),
    ),
  }
  const server = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const method = /<methodName>(.*)<\/methodName>/.exec(body)![1]!
      methods.push(method)
      response.statusCode =
        request.url === '/rpc/api' && (method === 'auth.login' || body.includes('a token')) ? 200 : 403
      response.end(value(answers[method]!))
    })
  })
  expect(await targetsOf({ kind: 'uyuni', server, username: 'u<', password: 'p' })).toEqual([
    {
      __address__: 'host:9100',
      __meta_uyuni_minion_hostname: 'host',
      __meta_uyuni_primary_fqdn: 'host.example.org',
      __meta_uyuni_system_id: '1000010000',
      __meta_uyuni_groups: 'east & west',
      __meta_uyuni_endpoint_name: 'e',
      __meta_uyuni_exporter: 'node_exporter',
      __meta_uyuni_metrics_path: '/metrics',
      __meta_uyuni_scheme: 'https',
    },
  ])
  expect(methods[0]).toBe('auth.login')
})

test('STACKIT: servers, with a token for the service account', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const seen: (string | undefined)[] = []
  const endpoint = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.setHeader('content-type', 'application/json')
    if (request.url === '/token') return response.end('{"access_token": "t1", "expires_in": 600}')
    const server = {
      id: 's1',
      name: 'web',
      availabilityZone: 'eu01-1',
      machineType: 'g1.1',
      status: 'ACTIVE',
      powerStatus: 'RUNNING',
      labels: { 'my-key': 'v', count: 1 },
      nics: [{ networkName: 'my net', ipv4: '10.0.0.2', publicIp: '198.51.100.2' }],
    }
    return response.end(JSON.stringify({ items: [server, { id: 'no card' }] }))
  })
  const serviceAccountKey = JSON.stringify({ credentials: { kid: 'k', iss: 'i', sub: 's', aud: 'a', privateKey: pem } })
  const tokenUrl = `${endpoint}/token`
  expect(await targetsOf({ kind: 'stackit', project: 'p', endpoint, serviceAccountKey, tokenUrl })).toEqual([
    {
      __address__: '198.51.100.2:80',
      __meta_stackit_project: 'p',
      __meta_stackit_id: 's1',
      __meta_stackit_name: 'web',
      __meta_stackit_availability_zone: 'eu01-1',
      __meta_stackit_status: 'ACTIVE',
      __meta_stackit_power_status: 'RUNNING',
      __meta_stackit_type: 'g1.1',
      __meta_stackit_public_ipv4: '198.51.100.2',
      __meta_stackit_private_ipv4_my_net: '10.0.0.2',
      __meta_stackit_label_my_key: 'v',
      __meta_stackit_labelpresent_my_key: 'true',
    },
  ])
  expect(seen.at(-1)).toBe('Bearer t1')
})
