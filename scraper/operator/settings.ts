import type {
  HttpSettings,
  MonitorEndpoint,
  NamespaceSelector,
  ProxySettings,
  ScrapeLimits,
  SecretKey,
  TlsSettings,
} from './objects.ts'
import type { SecretReader } from './secrets.ts'

/** A part of a scrape job as it stands in `prometheus.yml`. */
export type FilePart = Record<string, unknown>

/** Where the objects come from, and what all jobs that are made of them share. */
export interface JobContext {
  readonly secrets: SecretReader
  /** Keys of `kubernetes_sd_configs` that say how the cluster is reached. */
  readonly access: FilePart
  /** Where a ServiceMonitor does not say. */
  readonly endpointRole: 'endpoints' | 'endpointslice'
}

/** Without the keys that are undefined. */
export const present = (part: FilePart): FilePart =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))

/** @throws {DiscoveryError} where a Secret or a ConfigMap is missing */
export async function httpPart(settings: HttpSettings, namespace: string, secrets: SecretReader): Promise<FilePart> {
  const { basicAuth, authorization, oauth2, tlsConfig, bearerTokenSecret } = settings
  const secret = (key: SecretKey | undefined, field: string) =>
    key?.name ? secrets.secret(namespace, key, field) : Promise.resolve(undefined)
  return present({
    follow_redirects: settings.followRedirects,
    enable_http2: settings.enableHttp2,
    bearer_token_file: settings.bearerTokenFile,
    bearer_token: await secret(bearerTokenSecret, 'bearerTokenSecret'),
    ...(await proxyPart(settings, namespace, secrets)),
    basic_auth: basicAuth && {
      username: (await secret(basicAuth.username, 'basicAuth.username')) ?? '',
      password: (await secret(basicAuth.password, 'basicAuth.password')) ?? '',
    },
    authorization:
      authorization &&
      present({
        type: authorization.type?.trim() || 'Bearer',
        credentials: await secret(authorization.credentials, 'authorization.credentials'),
        credentials_file: authorization.credentialsFile,
      }),
    oauth2:
      oauth2 &&
      present({
        client_id: await secrets.either(namespace, oauth2.clientId, 'oauth2.clientId'),
        client_secret: await secrets.secret(namespace, oauth2.clientSecret, 'oauth2.clientSecret'),
        token_url: oauth2.tokenUrl,
        scopes: oauth2.scopes,
        endpoint_params: oauth2.endpointParams,
        ...(await proxyPart(oauth2, namespace, secrets, 'oauth2.')),
        tls_config: oauth2.tlsConfig && (await tlsPart(oauth2.tlsConfig, namespace, secrets, 'oauth2.tlsConfig')),
      }),
    tls_config: tlsConfig && (await tlsPart(tlsConfig, namespace, secrets, 'tlsConfig')),
  })
}

/** @param within path of the object's fields, with a point behind it */
export async function proxyPart(
  proxy: ProxySettings,
  namespace: string,
  secrets: SecretReader,
  within = '',
): Promise<FilePart> {
  const headers: Record<string, string[]> = {}
  for (const [name, values] of Object.entries(proxy.proxyConnectHeader ?? {})) {
    const field = `${within}proxyConnectHeader.${name}`
    headers[name] = await Promise.all(values.map((value) => secrets.secret(namespace, value, field)))
  }
  return present({
    proxy_url: proxy.proxyUrl,
    no_proxy: proxy.noProxy,
    proxy_from_environment: proxy.proxyFromEnvironment,
    proxy_connect_header: proxy.proxyConnectHeader && headers,
  })
}

async function tlsPart(tls: TlsSettings, namespace: string, secrets: SecretReader, field: string): Promise<FilePart> {
  const { ca, cert, keySecret } = tls
  return present({
    insecure_skip_verify: tls.insecureSkipVerify,
    ca: ca && (ca.secret ?? ca.configMap) ? await secrets.either(namespace, ca, `${field}.ca`) : undefined,
    cert: cert && (cert.secret ?? cert.configMap) ? await secrets.either(namespace, cert, `${field}.cert`) : undefined,
    key: keySecret ? await secrets.secret(namespace, keySecret, `${field}.keySecret`) : undefined,
    ca_file: tls.caFile || undefined,
    cert_file: tls.certFile || undefined,
    key_file: tls.keyFile || undefined,
    server_name: tls.serverName || undefined,
    min_version: tls.minVersion,
    max_version: tls.maxVersion,
  })
}

export function limitsPart(limits: ScrapeLimits): FilePart {
  const factor = limits.nativeHistogramMinBucketFactor
  return present({
    sample_limit: limits.sampleLimit,
    target_limit: limits.targetLimit,
    label_limit: limits.labelLimit,
    label_name_length_limit: limits.labelNameLengthLimit,
    label_value_length_limit: limits.labelValueLengthLimit,
    keep_dropped_targets: limits.keepDroppedTargets,
    body_size_limit: limits.bodySizeLimit || undefined,
    scrape_protocols: limits.scrapeProtocols?.length ? limits.scrapeProtocols : undefined,
    fallback_scrape_protocol: limits.fallbackScrapeProtocol,
    scrape_native_histograms: limits.scrapeNativeHistograms,
    native_histogram_bucket_limit: limits.nativeHistogramBucketLimit,
    native_histogram_min_bucket_factor: factor === undefined ? undefined : quantity(factor),
    always_scrape_classic_histograms: limits.scrapeClassicHistograms,
    convert_classic_histograms_to_nhcb: limits.convertClassicHistogramsToNHCB,
  })
}

/** A quantity of Kubernetes: `1100m` is 1.1. */
const quantity = (value: number | string): number =>
  typeof value === 'number' ? value : value.endsWith('m') ? Number(value.slice(0, -1)) / 1000 : Number(value)

/** What an endpoint of either monitor says of its requests. */
export const endpointPart = (endpoint: MonitorEndpoint): FilePart =>
  present({
    honor_labels: endpoint.honorLabels ?? false,
    honor_timestamps: endpoint.honorTimestamps,
    track_timestamps_staleness: endpoint.trackTimestampsStaleness,
    scrape_interval: endpoint.interval || undefined,
    scrape_timeout: endpoint.scrapeTimeout || undefined,
    metrics_path: endpoint.path || undefined,
    params: endpoint.params,
    scheme: endpoint.scheme?.toLowerCase(),
  })

/** One entry of `kubernetes_sd_configs`, in the namespaces that are chosen. */
export function kubernetesPart(
  role: string,
  selector: NamespaceSelector | undefined,
  namespace: string,
  { access }: JobContext,
): FilePart {
  const named = selector?.matchNames ?? []
  const names = selector?.any ? [] : named.length > 0 ? named : [namespace]
  return { role, ...(names.length > 0 && { namespaces: { names } }), ...access }
}
