import type { HttpClientConfig } from '../../lib/index.ts'
import type { AwsSdConfig } from './aws/config.ts'
import type { AzureSdConfig } from './azure/config.ts'
import type { ConsulSdConfig } from './consul/config.ts'
import type { DigitalOceanSdConfig } from './digitalocean/config.ts'
import type { DnsSdConfig } from './dns/config.ts'
import type { DockerSdConfig } from './docker/config.ts'
import type { DockerSwarmSdConfig } from './dockerswarm/config.ts'
import type { Ec2SdConfig } from './ec2/config.ts'
import type { EurekaSdConfig } from './eureka/config.ts'
import type { GceSdConfig } from './gce/config.ts'
import type { HetznerSdConfig } from './hetzner/config.ts'
import type { IonosSdConfig } from './ionos/config.ts'
import type { KubernetesSdConfig } from './kubernetes/config.ts'
import type { KumaSdConfig } from './kuma/config.ts'
import type { LightsailSdConfig } from './lightsail/config.ts'
import type { LinodeSdConfig } from './linode/config.ts'
import type { MarathonSdConfig } from './marathon/config.ts'
import type { NomadSdConfig } from './nomad/config.ts'
import type { OciSdConfig } from './oci/config.ts'
import type { OpenStackSdConfig } from './openstack/config.ts'
import type { OutscaleSdConfig } from './outscale/config.ts'
import type { OvhCloudSdConfig } from './ovhcloud/config.ts'
import type { PuppetDbSdConfig } from './puppetdb/config.ts'
import type { ScalewaySdConfig } from './scaleway/config.ts'
import type { StackitSdConfig } from './stackit/config.ts'
import type { TritonSdConfig } from './triton/config.ts'
import type { UyuniSdConfig } from './uyuni/config.ts'
import type { VultrSdConfig } from './vultr/config.ts'
import type { ZookeeperSdConfig } from './zookeeper/config.ts'

/** Targets with common labels, as `static_configs`, service discovery files and HTTP discovery list them. */
export interface StaticConfig {
  /** `host:port` each. */
  readonly targets: readonly string[]
  readonly labels?: Readonly<Record<string, string>> | undefined
}

export interface FileSdConfig {
  /** Globs (`*` in the last path segment only) of .json, .yml and .yaml files; relative ones already resolved. */
  readonly files: readonly string[]
  /** Default 5 minutes; files are watched besides. */
  readonly refreshIntervalMs?: number | undefined
}

export interface HttpSdConfig {
  readonly url: string
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
  readonly http?: HttpClientConfig | undefined
}

/** One entry of a `*_sd_configs` list other than those with fields of their own. */
export type DiscoveryConfig =
  | AwsSdConfig
  | AzureSdConfig
  | ConsulSdConfig
  | DigitalOceanSdConfig
  | DnsSdConfig
  | DockerSdConfig
  | DockerSwarmSdConfig
  | Ec2SdConfig
  | EurekaSdConfig
  | GceSdConfig
  | HetznerSdConfig
  | IonosSdConfig
  | KubernetesSdConfig
  | KumaSdConfig
  | LightsailSdConfig
  | LinodeSdConfig
  | MarathonSdConfig
  | NomadSdConfig
  | OciSdConfig
  | OpenStackSdConfig
  | OutscaleSdConfig
  | OvhCloudSdConfig
  | PuppetDbSdConfig
  | ScalewaySdConfig
  | StackitSdConfig
  | TritonSdConfig
  | UyuniSdConfig
  | VultrSdConfig
  | ZookeeperSdConfig

export type DiscoveryKind = DiscoveryConfig['kind']
