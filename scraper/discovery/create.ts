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
    case 'azure':
      return (await import('./azure/azure.ts')).azureDiscovery(config, parts)
    case 'eureka':
      return (await import('./eureka/eureka.ts')).eurekaDiscovery(config, parts)
    case 'gce':
      return (await import('./gce/gce.ts')).gceDiscovery(config, parts)
    case 'kuma':
      return (await import('./kuma/kuma.ts')).kumaDiscovery(config, parts)
    case 'lightsail':
      return (await import('./lightsail/lightsail.ts')).lightsailDiscovery(config, parts)
    case 'linode':
      return (await import('./linode/linode.ts')).linodeDiscovery(config, parts)
    case 'marathon':
      return (await import('./marathon/marathon.ts')).marathonDiscovery(config, parts)
    case 'oci':
      return (await import('./oci/oci.ts')).ociDiscovery(config, parts)
    case 'openstack':
      return (await import('./openstack/openstack.ts')).openStackDiscovery(config, parts)
    case 'outscale':
      return (await import('./outscale/outscale.ts')).outscaleDiscovery(config, parts)
    case 'ovhcloud':
      return (await import('./ovhcloud/ovhcloud.ts')).ovhCloudDiscovery(config, parts)
    case 'scaleway':
      return (await import('./scaleway/scaleway.ts')).scalewayDiscovery(config, parts)
    case 'stackit':
      return (await import('./stackit/stackit.ts')).stackitDiscovery(config, parts)
    case 'triton':
      return (await import('./triton/triton.ts')).tritonDiscovery(config, parts)
    case 'uyuni':
      return (await import('./uyuni/uyuni.ts')).uyuniDiscovery(config, parts)
    case 'vultr':
      return (await import('./vultr/vultr.ts')).vultrDiscovery(config, parts)
    case 'aws':
      return (await import('./aws/aws.ts')).awsDiscovery(config, parts)
    case 'serverset':
    case 'nerve':
      return (await import('./zookeeper/zookeeper.ts')).zookeeperDiscovery(config, parts)
    case 'kubernetes':
      return (await import('./kubernetes/kubernetes.ts')).kubernetesDiscovery(config, parts)
  }
}
