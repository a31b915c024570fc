/** `*_sd_configs` from the file's shape to what the scraper's discoveries run on. */
import type { DiscoveryConfig, FileSdConfig, HttpSdConfig } from '../../scraper/index.ts'
import { convertCloudDiscoveries } from './convert-cloud-discovery.ts'
import { convertHttp, resolverOf } from './convert-http.ts'
import type { DiscoveryFile } from './discovery-schema.ts'

export function convertFileSd(file: DiscoveryFile, configPath: string): FileSdConfig[] {
  const resolve = resolverOf(configPath)
  return file.file_sd_configs.map((sd) => ({ files: sd.files.map(resolve), refreshIntervalMs: sd.refresh_interval }))
}

export function convertHttpSd(file: DiscoveryFile, configPath: string): HttpSdConfig[] {
  return file.http_sd_configs.map((sd) => ({
    url: sd.url,
    refreshIntervalMs: sd.refresh_interval,
    http: convertHttp(sd, configPath),
  }))
}

/** Every kind but static, file and HTTP lists. */
export function convertDiscoveries(file: DiscoveryFile, configPath: string): DiscoveryConfig[] {
  return [
    ...file.dns_sd_configs.map((sd) => ({
      kind: 'dns' as const,
      names: sd.names,
      type: sd.type,
      port: sd.port,
      refreshIntervalMs: sd.refresh_interval,
    })),
    ...file.docker_sd_configs.map((sd) => ({
      kind: 'docker' as const,
      ...dockerApi(sd, configPath),
      hostNetworkingHost: sd.host_networking_host,
      matchFirstNetwork: sd.match_first_network,
    })),
    ...file.dockerswarm_sd_configs.map((sd) => ({
      kind: 'dockerswarm' as const,
      ...dockerApi(sd, configPath),
      role: sd.role,
    })),
    ...file.consul_sd_configs.map((sd) => convertConsul(sd, configPath)),
    ...file.digitalocean_sd_configs.map((sd) => ({ kind: 'digitalocean' as const, ...basics(sd, configPath) })),
    ...file.hetzner_sd_configs.map((sd) => ({
      kind: 'hetzner' as const,
      ...basics(sd, configPath),
      role: sd.role,
      labelSelector: sd.label_selector,
    })),
    ...file.ionos_sd_configs.map((sd) => ({
      kind: 'ionos' as const,
      ...basics(sd, configPath),
      datacenterId: sd.datacenter_id,
    })),
    ...file.puppetdb_sd_configs.map((sd) => ({
      kind: 'puppetdb' as const,
      ...basics(sd, configPath),
      url: sd.url,
      query: sd.query,
      includeParameters: sd.include_parameters,
    })),
    ...file.nomad_sd_configs.map((sd) => ({
      kind: 'nomad' as const,
      refreshIntervalMs: sd.refresh_interval,
      http: convertHttp(sd, configPath),
      server: sd.server,
      namespace: sd.namespace,
      region: sd.region,
      allowStale: sd.allow_stale,
      tagSeparator: sd.tag_separator,
    })),
    ...file.kubernetes_sd_configs.map((sd) => convertKubernetes(sd, configPath)),
    ...convertCloudDiscoveries(file, configPath),
  ]
}

const basics = (sd: DiscoveryFile['digitalocean_sd_configs'][number], configPath: string) => ({
  port: sd.port,
  refreshIntervalMs: sd.refresh_interval,
  http: convertHttp(sd, configPath),
})

type DockerFile = DiscoveryFile['docker_sd_configs'][number] | DiscoveryFile['dockerswarm_sd_configs'][number]

const dockerApi = (sd: DockerFile, configPath: string) => ({
  host: sd.host,
  port: sd.port,
  filters: sd.filters,
  refreshIntervalMs: sd.refresh_interval,
  http: convertHttp(sd, configPath),
})

function convertConsul(sd: DiscoveryFile['consul_sd_configs'][number], configPath: string): DiscoveryConfig {
  const http = convertHttp(sd, configPath)
  const hasUser = (sd.username ?? sd.password) !== undefined
  return {
    kind: 'consul',
    server: sd.server,
    scheme: sd.scheme,
    pathPrefix: sd.path_prefix,
    token: sd.token,
    datacenter: sd.datacenter,
    namespace: sd.namespace,
    partition: sd.partition,
    tagSeparator: sd.tag_separator,
    allowStale: sd.allow_stale,
    services: sd.services,
    tags: sd.tags,
    nodeMeta: sd.node_meta,
    filter: sd.filter,
    healthFilter: sd.health_filter,
    refreshIntervalMs: sd.refresh_interval,
    http: hasUser ? { ...http, basicAuth: { username: sd.username ?? '', password: sd.password ?? '' } } : http,
  }
}

function convertKubernetes(sd: DiscoveryFile['kubernetes_sd_configs'][number], configPath: string): DiscoveryConfig {
  const attach = sd.attach_metadata
  return {
    kind: 'kubernetes',
    role: sd.role,
    apiServer: sd.api_server,
    kubeconfigFile: sd.kubeconfig_file && resolverOf(configPath)(sd.kubeconfig_file),
    http: convertHttp(sd, configPath),
    namespaces: sd.namespaces?.names,
    ownNamespace: sd.namespaces?.own_namespace,
    selectors: sd.selectors,
    attachNode: attach?.node,
    attachNamespace: attach?.namespace,
    attachDeployment: attach?.deployment,
    attachJob: attach?.job,
    attachCronJob: attach?.cronjob,
  }
}
