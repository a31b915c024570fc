import type { HttpClientConfig } from '../../lib/index.ts'
import type { ConsulSdConfig } from './consul/config.ts'
import type { DigitalOceanSdConfig } from './digitalocean/config.ts'
import type { HetznerSdConfig } from './hetzner/config.ts'
import type { IonosSdConfig } from './ionos/config.ts'
import type { NomadSdConfig } from './nomad/config.ts'
import type { PuppetDbSdConfig } from './puppetdb/config.ts'
import type { DnsSdConfig } from './dns/config.ts'
import type { DockerSdConfig } from './docker/config.ts'
import type { DockerSwarmSdConfig } from './dockerswarm/config.ts'
import type { Ec2SdConfig } from './ec2/config.ts'
import type { KubernetesSdConfig } from './kubernetes/config.ts'

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
  | DnsSdConfig
  | KubernetesSdConfig
  | DockerSdConfig
  | DockerSwarmSdConfig
  | ConsulSdConfig
  | Ec2SdConfig
  | DigitalOceanSdConfig
  | HetznerSdConfig
  | IonosSdConfig
  | NomadSdConfig
  | PuppetDbSdConfig

export type DiscoveryKind = DiscoveryConfig['kind']
