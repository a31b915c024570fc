/** Remote ends as whoever talks to them gets them: defaults filled in, paths absolute, times in milliseconds. */
import type { HttpClientConfig } from '../../lib/index.ts'
import type { RelabelConfig } from '../../scraper/index.ts'
import { convertHttp, defined, resolverOf } from './convert-http.ts'
import { convertRelabel } from './convert.ts'
import {
  type AzureAdFile,
  QUEUE_DEFAULTS,
  type RemoteReadFile,
  type RemoteWriteFile,
  type Sigv4File,
} from './remote-schema.ts'

export type RemoteWriteMessage = 'prometheus.WriteRequest' | 'io.prometheus.write.v2.Request'

/** One entry of `remote_write`. */
export interface RemoteWriteConfig {
  readonly url: string
  /** As given, '' = none; unique among those that are given. */
  readonly name: string
  readonly protobufMessage: RemoteWriteMessage
  readonly remoteTimeoutMs: number
  readonly headers: Readonly<Record<string, string>>
  /** After external labels. */
  readonly writeRelabelConfigs: readonly RelabelConfig[]
  readonly sendExemplars: boolean
  /** Of version 1; version 2 always does. */
  readonly sendNativeHistograms: boolean
  readonly roundRobinDns: boolean
  readonly http: HttpClientConfig
  /** At most one of the three, and none together with credentials in `http`. */
  readonly sigv4: Sigv4Config | undefined
  readonly azureAd: AzureAdConfig | undefined
  readonly googleIam: { readonly credentialsFile: string } | undefined
  readonly queue: RemoteQueueConfig
  /** Of version 1; version 2 carries it with the series. */
  readonly metadata: {
    readonly send: boolean
    readonly sendIntervalMs: number
    readonly maxSamplesPerSend: number
  }
}

export interface RemoteQueueConfig {
  /** Samples held per shard. */
  readonly capacity: number
  readonly minShards: number
  readonly maxShards: number
  readonly maxSamplesPerSend: number
  readonly batchSendDeadlineMs: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  readonly retryOnHttp429: boolean
  /** Older samples are left out; 0 = none is too old. */
  readonly sampleAgeLimitMs: number
}

/** Signing of requests as AWS wants it; what is left out comes from the environment. */
export interface Sigv4Config {
  readonly region?: string
  readonly accessKey?: string
  readonly secretKey?: string
  readonly profile?: string
  readonly roleArn?: string
  readonly externalId?: string
  readonly useFipsStsEndpoint?: boolean
  /** Default `aps`. */
  readonly serviceName?: string
}

export interface AzureAdConfig {
  readonly cloud: 'AzurePublic' | 'AzureChina' | 'AzureGovernment'
  readonly scope: string | undefined
  /** '' = the identity that the machine has. */
  readonly managedIdentity: { readonly clientId: string } | undefined
  readonly workloadIdentity:
    | { readonly clientId: string; readonly tenantId: string; readonly tokenFile: string | undefined }
    | undefined
  readonly oauth: { readonly clientId: string; readonly clientSecret: string; readonly tenantId: string } | undefined
  readonly certificate:
    | {
        readonly clientId: string
        readonly tenantId: string
        readonly certFile: string
        readonly keyFile: string | undefined
        readonly password: string | undefined
        readonly sendChain: boolean
      }
    | undefined
  readonly sdk: { readonly tenantId: string | undefined } | undefined
}

/** One entry of `remote_read`. */
export interface RemoteReadConfig {
  readonly url: string
  /** As given, '' = none; unique among those that are given. */
  readonly name: string
  /** A selector must have them to be asked there. */
  readonly requiredMatchers: Readonly<Record<string, string>>
  readonly remoteTimeoutMs: number
  readonly headers: Readonly<Record<string, string>>
  /** Also for times that the own store has. */
  readonly readRecent: boolean
  readonly filterExternalLabels: boolean
  readonly http: HttpClientConfig
}

/** @param configPath where the file lies: relative paths in it start there */
export function convertRemoteWrite(file: RemoteWriteFile, configPath: string): RemoteWriteConfig {
  const queue = file.queue_config
  const metadata = file.metadata_config
  const resolve = resolverOf(configPath)
  return {
    url: file.url,
    name: file.name ?? '',
    protobufMessage: file.protobuf_message ?? 'prometheus.WriteRequest',
    remoteTimeoutMs: file.remote_timeout ?? 30_000,
    headers: file.headers,
    writeRelabelConfigs: file.write_relabel_configs.map(convertRelabel),
    sendExemplars: file.send_exemplars ?? false,
    sendNativeHistograms: file.send_native_histograms ?? false,
    roundRobinDns: file.round_robin_dns ?? false,
    http: convertHttp(file, configPath),
    sigv4: file.sigv4 && convertSigv4(file.sigv4),
    azureAd: file.azuread && convertAzureAd(file.azuread, resolve),
    googleIam: file.google_iam && { credentialsFile: resolve(file.google_iam.credentials_file) },
    queue: {
      capacity: queue?.capacity ?? 10_000,
      minShards: queue?.min_shards ?? QUEUE_DEFAULTS.minShards,
      maxShards: queue?.max_shards ?? QUEUE_DEFAULTS.maxShards,
      maxSamplesPerSend: queue?.max_samples_per_send ?? 2000,
      batchSendDeadlineMs: queue?.batch_send_deadline ?? 5000,
      minBackoffMs: queue?.min_backoff ?? QUEUE_DEFAULTS.minBackoffMs,
      maxBackoffMs: queue?.max_backoff ?? QUEUE_DEFAULTS.maxBackoffMs,
      retryOnHttp429: queue?.retry_on_http_429 ?? false,
      sampleAgeLimitMs: queue?.sample_age_limit ?? 0,
    },
    metadata: {
      send: metadata?.send ?? true,
      sendIntervalMs: metadata?.send_interval ?? 60_000,
      maxSamplesPerSend: metadata?.max_samples_per_send ?? 2000,
    },
  }
}

export function convertRemoteRead(file: RemoteReadFile, configPath: string): RemoteReadConfig {
  return {
    url: file.url,
    name: file.name ?? '',
    requiredMatchers: file.required_matchers,
    remoteTimeoutMs: file.remote_timeout ?? 60_000,
    headers: file.headers,
    readRecent: file.read_recent ?? false,
    filterExternalLabels: file.filter_external_labels ?? true,
    http: convertHttp(file, configPath),
  }
}

export function convertSigv4(file: Sigv4File): Sigv4Config {
  return defined({
    region: file.region,
    accessKey: file.access_key,
    secretKey: file.secret_key,
    profile: file.profile,
    roleArn: file.role_arn,
    externalId: file.external_id,
    useFipsStsEndpoint: file.use_fips_sts_endpoint,
    serviceName: file.service_name,
  })
}

function convertAzureAd(file: AzureAdFile, resolve: (path: string) => string): AzureAdConfig {
  const { managed_identity: managed, workload_identity: workload, oauth, certificate, sdk } = file
  return {
    cloud: file.cloud ?? 'AzurePublic',
    scope: file.scope,
    managedIdentity: managed && { clientId: managed.client_id ?? '' },
    workloadIdentity: workload && {
      clientId: workload.client_id,
      tenantId: workload.tenant_id,
      tokenFile: workload.token_file_path && resolve(workload.token_file_path),
    },
    oauth: oauth && { clientId: oauth.client_id, clientSecret: oauth.client_secret, tenantId: oauth.tenant_id },
    certificate: certificate && {
      clientId: certificate.client_id,
      tenantId: certificate.tenant_id,
      certFile: resolve(certificate.certificate_path),
      keyFile: certificate.certificate_key_path && resolve(certificate.certificate_key_path),
      password: certificate.certificate_password,
      sendChain: certificate.send_certificate_chain ?? false,
    },
    sdk: sdk && { tenantId: sdk.tenant_id },
  }
}
