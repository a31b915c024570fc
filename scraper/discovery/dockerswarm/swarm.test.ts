import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, jsonPages, parts, serve, until } from '../testing.ts'

afterEach(cleanUp)

const PAGES = {
  '/nodes': [
    {
      ID: 'm1',
      Spec: { Role: 'manager', Availability: 'active', Labels: { 'rack.no': '7' } },
      Description: {
        Hostname: 'one',
        Platform: { Architecture: 'x86_64', OS: 'linux' },
        Engine: { EngineVersion: '24.0' },
      },
      Status: { State: 'ready', Addr: '10.0.0.1' },
      ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: '10.0.0.1:2377' },
    },
  ],
  '/services': [
    {
      ID: 's1',
      Spec: {
        Name: 'web',
        Labels: { app: 'shop' },
        Mode: { Replicated: { Replicas: 2 } },
        TaskTemplate: { ContainerSpec: { Hostname: 'h', Image: 'nginx:1' } },
      },
      Endpoint: {
        Ports: [{ Name: 'http', Protocol: 'tcp', PublishedPort: 8080, PublishMode: 'ingress' }],
        VirtualIPs: [{ NetworkID: 'n1', Addr: '10.1.0.5/24' }],
      },
    },
    {
      ID: 's2',
      Spec: { Name: 'quiet', Mode: { Global: {} } },
      Endpoint: { VirtualIPs: [{ NetworkID: 'n1', Addr: '10.1.0.6/24' }] },
    },
  ],
  '/tasks': [
    {
      ID: 't1',
      ServiceID: 's1',
      NodeID: 'm1',
      Slot: 1,
      DesiredState: 'running',
      Spec: { ContainerSpec: { Labels: { 'c-l': 'v' } } },
      Status: {
        State: 'running',
        ContainerStatus: { ContainerID: 'cid' },
        PortStatus: { Ports: [{ Protocol: 'tcp', PublishedPort: 9000, PublishMode: 'host' }] },
      },
      NetworksAttachments: [{ Network: { ID: 'n1' }, Addresses: ['10.1.0.9/24'] }],
    },
  ],
  '/networks': [{ Id: 'n1', Name: 'ingress', Scope: 'swarm', Internal: false, Ingress: true, Labels: null }],
}

async function targetsOf(role: 'nodes' | 'services' | 'tasks') {
  const host = await serve(jsonPages(PAGES).handler)
  const { targets } = follow(createDiscovery({ kind: 'dockerswarm', host, role, port: 9323 }, parts))
  return until(targets)
}

test('nodes', async () => {
  expect(await targetsOf('nodes')).toEqual([
    {
      __address__: '10.0.0.1:9323',
      __meta_dockerswarm_node_address: '10.0.0.1',
      __meta_dockerswarm_node_availability: 'active',
      __meta_dockerswarm_node_engine_version: '24.0',
      __meta_dockerswarm_node_hostname: 'one',
      __meta_dockerswarm_node_id: 'm1',
      __meta_dockerswarm_node_label_rack_no: '7',
      __meta_dockerswarm_node_manager_address: '10.0.0.1:2377',
      __meta_dockerswarm_node_manager_leader: 'true',
      __meta_dockerswarm_node_manager_reachability: 'reachable',
      __meta_dockerswarm_node_platform_architecture: 'x86_64',
      __meta_dockerswarm_node_platform_os: 'linux',
      __meta_dockerswarm_node_role: 'manager',
      __meta_dockerswarm_node_status: 'ready',
    },
  ])
})

test('services: a target per published port, one without a port for those that publish none', async () => {
  const found = await targetsOf('services')
  expect(found.map((target) => target['__address__'])).toEqual(['10.1.0.5:8080', '10.1.0.6:9323'])
  expect(found[0]).toMatchObject({
    __meta_dockerswarm_service_id: 's1',
    __meta_dockerswarm_service_name: 'web',
    __meta_dockerswarm_service_mode: 'replicated',
    __meta_dockerswarm_service_endpoint_port_name: 'http',
    __meta_dockerswarm_service_endpoint_port_publish_mode: 'ingress',
    __meta_dockerswarm_service_label_app: 'shop',
    __meta_dockerswarm_service_task_container_hostname: 'h',
    __meta_dockerswarm_service_task_container_image: 'nginx:1',
    __meta_dockerswarm_network_name: 'ingress',
    __meta_dockerswarm_network_ingress: 'true',
  })
})

test('tasks: host ports on the node, the others in the networks', async () => {
  const found = await targetsOf('tasks')
  expect(found.map((target) => target['__address__'])).toEqual(['10.0.0.1:9000', '10.1.0.9:8080'])
  expect(found[0]).not.toHaveProperty('__meta_dockerswarm_network_id')
  expect(found[1]).toMatchObject({
    __meta_dockerswarm_task_id: 't1',
    __meta_dockerswarm_task_slot: '1',
    __meta_dockerswarm_task_state: 'running',
    __meta_dockerswarm_task_desired_state: 'running',
    __meta_dockerswarm_task_container_id: 'cid',
    __meta_dockerswarm_container_label_c_l: 'v',
    __meta_dockerswarm_service_name: 'web',
    __meta_dockerswarm_node_hostname: 'one',
    __meta_dockerswarm_network_id: 'n1',
  })
})
