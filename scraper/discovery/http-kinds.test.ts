import { afterEach, expect, test } from 'vitest'
import { cleanUp, jsonPages, serve, targetsOf } from './testing.ts'

afterEach(cleanUp)

test('DigitalOcean: droplets of all pages that have a public address', async () => {
  const droplet = (id: number, networks: unknown) => ({
    id,
    name: `d${id}`,
    status: 'active',
    size_slug: 's-1',
    vpc_uuid: 'v',
    features: ['ipv6', 'monitoring'],
    tags: [],
    image: { slug: 'debian-12', name: '12 x64' },
    region: { slug: 'fra1' },
    networks,
  })
  const addresses = {
    v4: [
      { ip_address: '10.0.0.1', type: 'private' },
      { ip_address: '198.51.100.1', type: 'public' },
    ],
    v6: [{ ip_address: '2001:db8::1', type: 'public' }],
  }
  let authorization: string | undefined
  const endpoint: string = await serve((request, response) => {
    authorization = request.headers.authorization
    const isFirst = request.url!.includes('page=1')
    const links = isFirst ? { pages: { next: `${endpoint}/v2/droplets?page=2&per_page=200` } } : {}
    response.end(JSON.stringify({ droplets: isFirst ? [droplet(1, addresses)] : [droplet(2, { v4: [] })], links }))
  })
  const http = { authorization: { type: 'Bearer', credentials: 'geheim' } }
  expect(await targetsOf({ kind: 'digitalocean', endpoint, http })).toEqual([
    {
      __address__: '198.51.100.1:80',
      __meta_digitalocean_droplet_id: '1',
      __meta_digitalocean_droplet_name: 'd1',
      __meta_digitalocean_image: 'debian-12',
      __meta_digitalocean_image_name: '12 x64',
      __meta_digitalocean_private_ipv4: '10.0.0.1',
      __meta_digitalocean_public_ipv4: '198.51.100.1',
      __meta_digitalocean_public_ipv6: '2001:db8::1',
      __meta_digitalocean_region: 'fra1',
      __meta_digitalocean_size: 's-1',
      __meta_digitalocean_status: 'active',
      __meta_digitalocean_vpc: 'v',
      __meta_digitalocean_features: ',ipv6,monitoring,',
    },
  ])
  expect(authorization).toBe('Bearer geheim')
})

test('Hetzner: cloud servers with their networks and labels, dedicated ones of the robot', async () => {
  const { handler, asked } = jsonPages({
    '/servers': {
      servers: [
        {
          id: 7,
          name: 'web',
          status: 'running',
          labels: { 'my-key': 'v' },
          public_net: { ipv4: { ip: '198.51.100.2' }, ipv6: { ip: '2001:db8::/64' } },
          private_net: [{ network: 3, ip: '10.0.0.2' }],
          datacenter: { name: 'fsn1-dc14', location: { name: 'fsn1', network_zone: 'eu-central' } },
          server_type: { name: 'cx11', cores: 1, cpu_type: 'shared', memory: 2, disk: 20 },
          image: { name: 'debian-12', description: 'Debian 12', os_flavor: 'debian', os_version: '12' },
        },
      ],
      meta: { pagination: { next_page: null } },
    },
    '/networks': { networks: [{ id: 3, name: 'my net' }], meta: { pagination: { next_page: null } } },
    '/server': [
      {
        server: {
          server_ip: '198.51.100.3',
          server_number: 9,
          server_name: 'big',
          product: 'EX44',
          dc: 'FSN1-DC5',
          status: 'ready',
          cancelled: false,
          subnet: [{ ip: '2001:db8:1::', mask: '64' }],
        },
      },
    ],
  })
  const endpoint = await serve(handler)
  const [cloud] = await targetsOf({ kind: 'hetzner', role: 'hcloud', endpoint, labelSelector: 'a=b' })
  expect(cloud).toMatchObject({
    __address__: '198.51.100.2:80',
    __meta_hetzner_server_id: '7',
    __meta_hetzner_server_name: 'web',
    __meta_hetzner_server_status: 'running',
    __meta_hetzner_datacenter: 'fsn1-dc14',
    __meta_hetzner_public_ipv6_network: '2001:db8::/64',
    __meta_hetzner_hcloud_datacenter_location: 'fsn1',
    __meta_hetzner_hcloud_datacenter_location_network_zone: 'eu-central',
    __meta_hetzner_hcloud_server_type: 'cx11',
    __meta_hetzner_hcloud_cpu_cores: '1',
    __meta_hetzner_hcloud_memory_size_gb: '2',
    __meta_hetzner_hcloud_disk_size_gb: '20',
    __meta_hetzner_hcloud_image_name: 'debian-12',
    __meta_hetzner_hcloud_private_ipv4_my_net: '10.0.0.2',
    __meta_hetzner_hcloud_label_my_key: 'v',
    __meta_hetzner_hcloud_labelpresent_my_key: 'true',
  })
  expect(asked[0]!.url).toContain('label_selector=a%3Db')
  const [robot] = await targetsOf({ kind: 'hetzner', role: 'robot', endpoint, port: 9100 })
  expect(robot).toMatchObject({
    __address__: '198.51.100.3:9100',
    __meta_hetzner_server_id: '9',
    __meta_hetzner_datacenter: 'fsn1-dc5',
    __meta_hetzner_public_ipv6_network: '2001:db8:1::/64',
    __meta_hetzner_robot_product: 'EX44',
    __meta_hetzner_robot_cancelled: 'false',
  })
})

test('PuppetDB: a target per resource; parameters only where wanted', async () => {
  const bodies: unknown[] = []
  const url = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push([request.method, request.url, JSON.parse(body)])
      const parameters = { port: 8080, tags: ['a', 'b'], nested: { deep: true }, nothing: null }
      const more = { tags: ['t'], file: '/m.pp', environment: 'prod', exported: false, parameters }
      response.end(
        JSON.stringify([{ certname: 'host.example.org', resource: 'abc', type: 'Class', title: 'Web', ...more }]),
      )
    })
  })
  const query = 'resources { type = "Class" }'
  const [plain] = await targetsOf({ kind: 'puppetdb', url: `${url}/`, query })
  const base = {
    __address__: 'host.example.org:80',
    __meta_puppetdb_query: query,
    __meta_puppetdb_certname: 'host.example.org',
    __meta_puppetdb_resource: 'abc',
    __meta_puppetdb_type: 'Class',
    __meta_puppetdb_title: 'Web',
    __meta_puppetdb_exported: 'false',
    __meta_puppetdb_tags: ',t,',
    __meta_puppetdb_file: '/m.pp',
    __meta_puppetdb_environment: 'prod',
  }
  expect(plain).toEqual(base)
  expect(bodies[0]).toEqual(['POST', '/pdb/query/v4', { query }])
  const [full] = await targetsOf({ kind: 'puppetdb', url, query, includeParameters: true })
  expect(full).toEqual({
    ...base,
    __meta_puppetdb_parameter_port: '8080',
    __meta_puppetdb_parameter_tags: ',a,b,',
    __meta_puppetdb_parameter_nested_deep: 'true',
  })
})

test('Nomad: every instance of every service', async () => {
  const { handler, asked } = jsonPages({
    '/v1/services': [{ Namespace: 'default', Services: [{ ServiceName: 'web' }] }],
    '/v1/service/web': [
      {
        ID: 'web-1',
        ServiceName: 'web',
        Namespace: 'default',
        NodeID: 'n1',
        Datacenter: 'dc1',
        Tags: ['a', 'b'],
        Address: '10.0.0.1',
        Port: 2000,
      },
    ],
  })
  expect(await targetsOf({ kind: 'nomad', server: await serve(handler) })).toEqual([
    {
      __address__: '10.0.0.1:2000',
      __meta_nomad_address: '10.0.0.1',
      __meta_nomad_dc: 'dc1',
      __meta_nomad_namespace: 'default',
      __meta_nomad_node_id: 'n1',
      __meta_nomad_service: 'web',
      __meta_nomad_service_address: '10.0.0.1',
      __meta_nomad_service_id: 'web-1',
      __meta_nomad_service_port: '2000',
      __meta_nomad_tags: ',a,b,',
    },
  ])
  expect(asked[0]!.url).toContain('namespace=default&region=global&stale=')
})

test('IONOS: servers of a data center, addresses by network card', async () => {
  const volumes = { items: [{ id: 'vol', properties: { image: 'img' } }] }
  const nics = {
    items: [
      { properties: { name: 'Metrics NIC', ips: ['198.51.100.4', '198.51.100.5'] } },
      { properties: { name: '', ips: ['10.0.0.4'] } },
    ],
  }
  const properties = {
    name: 'prometheus',
    type: 'CUBE',
    availabilityZone: 'ZONE_1',
    cpuFamily: 'INTEL',
    vmState: 'RUNNING',
    bootVolume: { id: 'vol' },
  }
  const server = { id: 's1', metadata: { state: 'AVAILABLE' }, properties, entities: { nics, volumes } }
  const { handler } = jsonPages({ '/datacenters/dc/servers': { id: 'dc/servers', items: [server, { id: 's2' }] } })
  expect(await targetsOf({ kind: 'ionos', datacenterId: 'dc', endpoint: await serve(handler) })).toEqual([
    {
      __address__: '198.51.100.4:80',
      __meta_ionos_server_availability_zone: 'ZONE_1',
      __meta_ionos_server_boot_image_id: 'img',
      __meta_ionos_server_boot_volume_id: 'vol',
      __meta_ionos_server_cpu_family: 'INTEL',
      __meta_ionos_server_id: 's1',
      __meta_ionos_server_ip: ',198.51.100.4,198.51.100.5,10.0.0.4,',
      __meta_ionos_server_lifecycle: 'AVAILABLE',
      __meta_ionos_server_name: 'prometheus',
      __meta_ionos_server_nic_ip_Metrics_NIC: ',198.51.100.4,198.51.100.5,',
      __meta_ionos_server_nic_ip_: ',10.0.0.4,',
      __meta_ionos_server_servers_id: 'dc/servers',
      __meta_ionos_server_state: 'RUNNING',
      __meta_ionos_server_type: 'CUBE',
    },
  ])
})
