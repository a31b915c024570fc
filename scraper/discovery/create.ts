import type { DiscoveryConfig } from './config.ts'
import type { Discovery } from './discovery.ts'
import { type DiscoveryParts, lazyDiscovery } from './poll.ts'

/** The discovery that a configuration entry asks for, with its code loaded once it runs. */
export function createDiscovery(config: DiscoveryConfig, parts: DiscoveryParts): Discovery {
  return lazyDiscovery(() => load(config, parts), parts)
}

async function load(config: DiscoveryConfig, parts: DiscoveryParts): Promise<Discovery> {
  switch (config.kind) {
    case 'dns':
      return (await import('./dns/dns.ts')).dnsDiscovery(config, parts)
    case 'docker':
      return (await import('./docker/docker.ts')).dockerDiscovery(config, parts)
    case 'dockerswarm':
      return (await import('./dockerswarm/swarm.ts')).dockerSwarmDiscovery(config, parts)
    case 'consul':
      return (await import('./consul/consul.ts')).consulDiscovery(config, parts)
    case 'ec2':
      return (await import('./ec2/ec2.ts')).ec2Discovery(config, parts)
    case 'digitalocean':
      return (await import('./digitalocean/digitalocean.ts')).digitalOceanDiscovery(config, parts)
    case 'hetzner':
      return (await import('./hetzner/hetzner.ts')).hetznerDiscovery(config, parts)
    case 'ionos':
      return (await import('./ionos/ionos.ts')).ionosDiscovery(config, parts)
    case 'nomad':
      return (await import('./nomad/nomad.ts')).nomadDiscovery(config, parts)
    case 'puppetdb':
      return (await import('./puppetdb/puppetdb.ts')).puppetDbDiscovery(config, parts)
    case 'kubernetes':
      return (await import('./kubernetes/kubernetes.ts')).kubernetesDiscovery(config, parts)
  }
}
