import { afterEach, expect, test } from 'vitest'
import { cleanUp, serveJson, targetsOf } from './testing.ts'

afterEach(cleanUp)

test('OpenStack: instances by address pool, hypervisors, load balancers with a listener of the protocol', async () => {
  let auth: unknown
  const pages: Record<string, unknown> = {
    '/net/v2.0/ports': { ports: [{ id: 'port', device_id: 'srv' }] },
    '/net/v2.0/floatingips': {
      floatingips: [
        { floating_ip_address: '198.51.100.9', fixed_ip_address: '10.0.0.9', port_id: 'port' },
        { floating_ip_address: '198.51.100.8', fixed_ip_address: '10.0.0.8', port_id: 'vip-port' },
        { floating_ip_address: '198.51.100.7', fixed_ip_address: null, port_id: null },
      ],
    },
    '/compute/servers/detail': {
      servers: [
        {
          id: 'srv',
          name: 'web',
          status: 'ACTIVE',
          tenant_id: 'proj',
          user_id: 'u',
          flavor: { id: '1' },
          image: { id: 'img' },
          metadata: { 'my key': 'v' },
          addresses: { private: [{ addr: '10.0.0.9' }, { addr: '198.51.100.9' }], extra: [{ addr: '10.1.0.9' }] },
        },
      ],
    },
    '/compute/os-hypervisors/detail': {
      hypervisors: [
        {
          id: 1,
          hypervisor_hostname: 'nc14',
          host_ip: '172.16.70.14',
          status: 'enabled',
          state: 'up',
          hypervisor_type: 'QEMU',
        },
      ],
    },
    '/lb/v2.0/lbaas/loadbalancers': {
      loadbalancers: [
        {
          id: 'lb',
          name: 'l',
          vip_address: '10.0.0.32',
          vip_port_id: 'vip-port',
          tags: ['a', 'b'],
          provider: 'amphora',
          project_id: 'proj',
        },
        { id: 'other' },
      ],
    },
    '/lb/v2.0/lbaas/listeners': {
      listeners: [
        { protocol: 'HTTP', protocol_port: 80, loadbalancers: [{ id: 'lb' }, { id: 'other' }] },
        { protocol: 'PROMETHEUS', protocol_port: 9273, loadbalancers: [{ id: 'lb' }] },
      ],
    },
  }
  const base: string = await serveJson((request, { pathname }, body) => {
    if (pathname === '/v3/auth/tokens') {
      auth = JSON.parse(body)
      const service = (type: string, path: string) => ({
        type,
        endpoints: [
          { interface: 'internal', region_id: 'One', url: 'http://127.0.0.1:1' },
          { interface: 'public', region_id: 'One', url: `${base}${path}/` },
        ],
      })
      const catalog = [service('compute', '/compute'), service('network', '/net'), service('load-balancer', '/lb')]
      return { token: { expires_at: new Date(Date.now() + 3_600_000).toISOString(), catalog } }
    }
    return request.headers['x-auth-token'] === 'the token' ? pages[pathname] : undefined
  })
  const account = {
    kind: 'openstack',
    region: 'One',
    identityEndpoint: base,
    username: 'me',
    password: 'geheim',
  } as const
  const scope = { domainName: 'Default', projectName: 'proj' }
  const instances = await targetsOf({ ...account, ...scope, role: 'instance' })
  expect(instances).toEqual([
    {
      __address__: '10.0.0.9:80',
      __meta_openstack_address_pool: 'private',
      __meta_openstack_instance_flavor: '1',
      __meta_openstack_instance_id: 'srv',
      __meta_openstack_instance_image: 'img',
      __meta_openstack_instance_name: 'web',
      __meta_openstack_instance_status: 'ACTIVE',
      __meta_openstack_private_ip: '10.0.0.9',
      __meta_openstack_public_ip: '198.51.100.9',
      __meta_openstack_project_id: 'proj',
      __meta_openstack_tag_my_key: 'v',
      __meta_openstack_user_id: 'u',
    },
    expect.objectContaining({ __address__: '10.1.0.9:80', __meta_openstack_address_pool: 'extra' }),
  ])
  const user = { name: 'me', domain: { name: 'Default' }, password: 'geheim' }
  expect(auth).toEqual({
    auth: {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: 'proj', domain: { name: 'Default' } } },
    },
  })
  expect(await targetsOf({ ...account, role: 'hypervisor', port: 9100 })).toEqual([
    {
      __address__: '172.16.70.14:9100',
      __meta_openstack_hypervisor_id: '1',
      __meta_openstack_hypervisor_hostname: 'nc14',
      __meta_openstack_hypervisor_host_ip: '172.16.70.14',
      __meta_openstack_hypervisor_status: 'enabled',
      __meta_openstack_hypervisor_state: 'up',
      __meta_openstack_hypervisor_type: 'QEMU',
    },
  ])
  expect(await targetsOf({ ...account, role: 'loadbalancer' })).toEqual([
    {
      __address__: '10.0.0.32:9273',
      __meta_openstack_loadbalancer_id: 'lb',
      __meta_openstack_loadbalancer_name: 'l',
      __meta_openstack_loadbalancer_vip: '10.0.0.32',
      __meta_openstack_loadbalancer_tags: 'a,b',
      __meta_openstack_loadbalancer_provider: 'amphora',
      __meta_openstack_loadbalancer_floating_ip: '198.51.100.8',
      __meta_openstack_project_id: 'proj',
    },
  ])
})
