import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { cleanUp, jsonPages, onCleanUp, serve, targetsOf } from './testing.ts'

afterEach(cleanUp)

async function secretFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'belltower-sd-'))
  onCleanUp(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'secret'), `${text}\n`)
  return join(folder, 'secret')
}

test('Linode: addresses and their names come from lists of their own', async () => {
  const instance = {
    id: 26838044,
    label: 'web',
    image: 'linode/debian12',
    region: 'eu-central',
    type: 'g6-standard-2',
    status: 'running',
    group: '',
    hypervisor: 'kvm',
    tags: ['monitoring', 'prod'],
    ipv4: ['198.51.100.1', '192.168.1.1', '198.51.100.9'],
    ipv6: '2001:db8::1/128',
    backups: { enabled: false },
    specs: { disk: 81920, memory: 4096, vcpus: 2, gpus: 0, transfer: 4000 },
  }
  const { handler, asked } = jsonPages({
    '/v4/linode/instances': { data: [instance, { id: 2, ipv4: [] }], page: 1, pages: 1 },
    '/v4/networking/ips': {
      data: [
        { address: '198.51.100.1', public: true, rdns: 'web.example.org' },
        { address: '192.168.1.1', public: false, rdns: 'null' },
        { address: '198.51.100.9', public: true, rdns: null },
        { address: '2001:db8::1', public: true, rdns: null },
      ],
    },
    '/v4/networking/ipv6/ranges': { data: [{ range: '2001:db8:1::', prefix: 64, route_target: '2001:db8::1' }] },
  })
  const found = await targetsOf({ kind: 'linode', endpoint: await serve(handler), region: 'eu-central' })
  expect(found).toEqual([
    {
      __address__: '198.51.100.1:80',
      __meta_linode_instance_id: '26838044',
      __meta_linode_instance_label: 'web',
      __meta_linode_image: 'linode/debian12',
      __meta_linode_private_ipv4: '192.168.1.1',
      __meta_linode_public_ipv4: '198.51.100.1',
      __meta_linode_public_ipv6: '2001:db8::1',
      __meta_linode_public_ipv4_rdns: 'web.example.org',
      __meta_linode_region: 'eu-central',
      __meta_linode_type: 'g6-standard-2',
      __meta_linode_status: 'running',
      __meta_linode_gpus: '0',
      __meta_linode_hypervisor: 'kvm',
      __meta_linode_backups: 'disabled',
      __meta_linode_specs_disk_bytes: '85899345920',
      __meta_linode_specs_memory_bytes: '4294967296',
      __meta_linode_specs_vcpus: '2',
      __meta_linode_specs_transfer_bytes: '4194304000',
      __meta_linode_tags: ',monitoring,prod,',
      __meta_linode_extra_ips: ',198.51.100.9,',
      __meta_linode_ipv6_ranges: ',2001:db8:1::/64,',
    },
  ])
  expect(asked[0]!.headers['x-filter']).toBe('{"region":"eu-central"}')
})

test('Vultr: pages follow a cursor', async () => {
  const instance = (id: string) => ({
    id,
    label: 'l',
    os: 'Debian 12',
    os_id: 2136,
    region: 'fra',
    plan: 'vc2-1c-1gb',
    main_ip: `198.51.100.${id}`,
    internal_ip: '10.0.0.1',
    v6_main_ip: '',
    hostname: 'h',
    server_status: 'ok',
    vcpu_count: 1,
    ram: 1024,
    disk: 25,
    allowed_bandwidth: 1000,
    features: ['ipv6'],
    tags: [],
  })
  const endpoint = await serve((request, response) => {
    const isFirst = !request.url!.includes('cursor=')
    response.end(
      JSON.stringify({
        instances: [instance(isFirst ? '1' : '2')],
        meta: { links: { next: isFirst ? 'bmV4dA' : '' } },
      }),
    )
  })
  const found = await targetsOf({ kind: 'vultr', endpoint, port: 9100 })
  expect(found.map(({ __address__ }) => __address__)).toEqual(['198.51.100.1:9100', '198.51.100.2:9100'])
  expect(found[0]).toMatchObject({
    __meta_vultr_instance_ram_mb: '1024',
    __meta_vultr_instance_disk_gb: '25',
    __meta_vultr_instance_allowed_bandwidth_gb: '1000',
    __meta_vultr_instance_features: ',ipv6,',
    __meta_vultr_instance_os_id: '2136',
  })
})

test('Scaleway: instances, those of private networks by another interface, and bare metal', async () => {
  const server = { id: 's1', name: 'web', zone: 'fr-par-1', state: 'running', commercial_type: 'PLAY2', project: 'p' }
  const { handler, asked } = jsonPages({
    '/instance/v1/zones/fr-par-1/servers': {
      servers: [
        {
          ...server,
          tags: ['a', 'b'],
          image: { arch: 'x86_64', id: 'i', name: 'Debian' },
          location: { cluster_id: '1', hypervisor_id: '2', node_id: '3' },
          security_group: { id: 'g', name: 'default' },
          public_ip: { address: '198.51.100.7', family: 'inet' },
          public_ips: [{ address: '198.51.100.7', family: 'inet' }],
          private_ip: '10.0.0.7',
        },
        { ...server, id: 's2', private_nics: [{ id: 'nic' }] },
        { ...server, id: 's3' },
      ],
    },
    '/ipam/v1/regions/fr-par/ips': { ips: [{ address: '172.16.0.2/22', resource: { id: 'nic' } }] },
    '/baremetal/v1/zones/fr-par-1/servers': {
      servers: [
        {
          id: 'b1',
          name: 'big',
          zone: 'fr-par-1',
          status: 'ready',
          project_id: 'p',
          offer_id: 'o',
          install: { os_id: 'os' },
          tags: [],
          ips: [
            { address: '2001:db8::b', version: 'IPv6' },
            { address: '198.51.100.8', version: 'IPv4' },
          ],
        },
      ],
    },
    '/baremetal/v1/zones/fr-par-1/offers': { offers: [{ id: 'o', name: 'EM-A210R' }] },
    '/baremetal/v1/zones/fr-par-1/os': { os: [{ id: 'os', name: 'Debian', version: '12' }] },
  })
  const common = { kind: 'scaleway', projectId: 'p', accessKey: 'SCW', apiUrl: await serve(handler) } as const
  const secretKeyFile = await secretFile('geheim')
  const [first, second, ...more] = await targetsOf({ ...common, role: 'instance', secretKeyFile, tagsFilter: ['a'] })
  expect(more).toEqual([])
  expect(first).toMatchObject({
    __address__: '10.0.0.7:80',
    __meta_scaleway_instance_id: 's1',
    __meta_scaleway_instance_region: 'fr-par',
    __meta_scaleway_instance_status: 'running',
    __meta_scaleway_instance_tags: ',a,b,',
    __meta_scaleway_instance_image_arch: 'x86_64',
    __meta_scaleway_instance_location_node_id: '3',
    __meta_scaleway_instance_security_group_name: 'default',
    __meta_scaleway_instance_public_ipv4: '198.51.100.7',
    __meta_scaleway_instance_public_ipv4_addresses: ',198.51.100.7,',
    __meta_scaleway_instance_private_ipv4: '10.0.0.7',
  })
  expect(second).toMatchObject({ __address__: '172.16.0.2:80', __meta_scaleway_instance_private_ipv4: '172.16.0.2' })
  expect(asked[0]!.headers['x-auth-token']).toBe('geheim')
  expect(asked[0]!.url).toContain('project=p&tags=a&page=1')
  expect(await targetsOf({ ...common, role: 'baremetal', secretKey: 'k' })).toEqual([
    {
      __address__: '198.51.100.8:80',
      __meta_scaleway_baremetal_id: 'b1',
      __meta_scaleway_baremetal_name: 'big',
      __meta_scaleway_baremetal_zone: 'fr-par-1',
      __meta_scaleway_baremetal_status: 'ready',
      __meta_scaleway_baremetal_project_id: 'p',
      __meta_scaleway_baremetal_public_ipv4: '198.51.100.8',
      __meta_scaleway_baremetal_public_ipv6: '2001:db8::b',
      __meta_scaleway_baremetal_type: 'EM-A210R',
      __meta_scaleway_baremetal_os_name: 'Debian',
      __meta_scaleway_baremetal_os_version: '12',
    },
  ])
})

test('OVHcloud: every question is signed over the time of the server', async () => {
  const pages: Record<string, unknown> = {
    '/auth/time': Math.floor(Date.now() / 1000) + 1000,
    '/vps': ['vps-1', 'vps-gone'],
    '/vps/vps-1': {
      name: 'vps-1',
      zone: 'Region OpenStack: os-gra7',
      displayName: 'one',
      cluster: '',
      state: 'running',
      netbootMode: 'local',
      memoryLimit: 2048,
      offerType: 'ssd',
      vcore: 1,
      model: {
        name: 'vps-value',
        offer: 'VPS abc',
        disk: 40,
        memory: 2048,
        version: '2019v1',
        vcore: 1,
        datacenter: ['gra', 'sbg'],
        maximumAdditionnalIp: 16,
      },
    },
    '/vps/vps-1/ips': ['198.51.100.3', '2001:db8::3'],
    '/dedicated/server': ['d1'],
    '/dedicated/server/d1': {
      name: 'd1',
      state: 'ok',
      noIntervention: false,
      linkSpeed: 1000,
      serverId: 77,
      os: 'debian',
    },
    '/dedicated/server/d1/ips': ['198.51.100.4/32'],
  }
  const signed: boolean[] = []
  const endpoint: string = await serve((request, response) => {
    if (request.url !== '/auth/time') {
      const { 'x-ovh-timestamp': time, 'x-ovh-signature': signature } = request.headers
      const text = `as+ck+GET+${endpoint}${request.url}++${String(time)}`
      signed.push(signature === `$1$${createHash('sha1').update(text).digest('hex')}`)
      signed.push(Math.abs(Number(time) - Number(pages['/auth/time'])) < 60)
    }
    const page = pages[request.url!]
    response.statusCode = page === undefined ? 404 : 200
    response.end(JSON.stringify(page ?? {}))
  })
  const account = { applicationKey: 'ak', applicationSecret: 'as', consumerKey: 'ck', endpoint } as const
  expect(await targetsOf({ kind: 'ovhcloud', service: 'vps', ...account })).toEqual([
    {
      __address__: '198.51.100.3',
      instance: 'vps-1',
      __meta_ovhcloud_vps_datacenter: '[gra sbg]',
      __meta_ovhcloud_vps_disk: '40',
      __meta_ovhcloud_vps_display_name: 'one',
      __meta_ovhcloud_vps_ipv4: '198.51.100.3',
      __meta_ovhcloud_vps_ipv6: '2001:db8::3',
      __meta_ovhcloud_vps_maximum_additional_ip: '16',
      __meta_ovhcloud_vps_memory: '2048',
      __meta_ovhcloud_vps_memory_limit: '2048',
      __meta_ovhcloud_vps_model_name: 'vps-value',
      __meta_ovhcloud_vps_model_vcore: '1',
      __meta_ovhcloud_vps_name: 'vps-1',
      __meta_ovhcloud_vps_netboot_mode: 'local',
      __meta_ovhcloud_vps_offer: 'VPS abc',
      __meta_ovhcloud_vps_offer_type: 'ssd',
      __meta_ovhcloud_vps_state: 'running',
      __meta_ovhcloud_vps_vcore: '1',
      __meta_ovhcloud_vps_version: '2019v1',
      __meta_ovhcloud_vps_zone: 'Region OpenStack: os-gra7',
    },
  ])
  expect((await targetsOf({ kind: 'ovhcloud', service: 'dedicated_server', ...account }))[0]).toMatchObject({
    __address__: '198.51.100.4',
    instance: 'd1',
    __meta_ovhcloud_dedicated_server_server_id: '77',
    __meta_ovhcloud_dedicated_server_no_intervention: 'false',
    __meta_ovhcloud_dedicated_server_link_speed: '1000',
  })
  expect(signed.length).toBeGreaterThan(4)
  expect(signed.every(Boolean)).toBe(true)
})

test('Outscale: machines with an address, by signed questions', async () => {
  let authorization = ''
  let bodies = ''
  const endpoint = await serve((request, response) => {
    authorization = String(request.headers.authorization)
    request.on('data', (chunk: Buffer) => (bodies += chunk.toString()))
    request.on('end', () => {
      const isFirst = !bodies.includes('NextPageToken')
      const vm = {
        VmId: 'i-1',
        State: 'running',
        PrivateIp: '10.0.0.1',
        PublicIp: '198.51.100.1',
        Placement: { SubregionName: 'eu-west-2a' },
        Tags: [{ Key: 'Name', Value: 'web' }],
      }
      response.end(JSON.stringify(isFirst ? { Vms: [vm, { VmId: 'i-2' }], NextPageToken: 'n' } : { Vms: [] }))
    })
  })
  expect(await targetsOf({ kind: 'outscale', endpoint, accessKey: 'AK', secretKey: 'SK' })).toEqual([
    {
      __address__: '10.0.0.1:80',
      __meta_outscale_vm_instance_id: 'i-1',
      __meta_outscale_vm_region: 'eu-west-2',
      __meta_outscale_vm_subregion: 'eu-west-2a',
      __meta_outscale_vm_state: 'running',
      __meta_outscale_vm_private_ip: '10.0.0.1',
      __meta_outscale_vm_public_ip: '198.51.100.1',
      __meta_outscale_vm_tag_Name: 'web',
    },
  ])
  expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/eu-west-2\/oapi\/aws4_request/)
})

test('Lightsail and the role of that name, by the JSON protocol', async () => {
  const targets: string[] = []
  const endpoint = await serve((request, response) => {
    targets.push(String(request.headers['x-amz-target']))
    const instance = {
      name: 'web',
      supportCode: '1/i-1',
      blueprintId: 'debian_12',
      bundleId: 'nano_3_0',
      privateIpAddress: '172.26.0.1',
      publicIpAddress: '198.51.100.1',
      ipv6Addresses: ['2001:db8::1'],
      location: { availabilityZone: 'eu-west-1a' },
      state: { name: 'running' },
      tags: [{ key: 'env', value: 'prod' }],
    }
    response.end(JSON.stringify({ instances: [instance, { name: 'no address' }] }))
  })
  const account = { region: 'eu-west-1', endpoint, accessKey: 'AK', secretKey: 'SK' }
  const found = await targetsOf({ kind: 'lightsail', ...account })
  expect(found).toEqual([
    {
      __address__: '172.26.0.1:80',
      __meta_lightsail_availability_zone: 'eu-west-1a',
      __meta_lightsail_blueprint_id: 'debian_12',
      __meta_lightsail_bundle_id: 'nano_3_0',
      __meta_lightsail_instance_name: 'web',
      __meta_lightsail_instance_state: 'running',
      __meta_lightsail_instance_support_code: '1/i-1',
      __meta_lightsail_ipv6_addresses: ',2001:db8::1,',
      __meta_lightsail_private_ip: '172.26.0.1',
      __meta_lightsail_public_ip: '198.51.100.1',
      __meta_lightsail_region: 'eu-west-1',
      __meta_lightsail_tag_env: 'prod',
    },
  ])
  expect(await targetsOf({ kind: 'aws', role: 'lightsail', ...account })).toEqual(found)
  expect(targets[0]).toBe('Lightsail_20161128.GetInstances')
})
