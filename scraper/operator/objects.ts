/** What of the Prometheus Operator's objects is read. Names are theirs. */
import type { KubernetesObject } from '../discovery/kubernetes/kubernetes-objects.ts'

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values?: readonly string[]
  }[]
}

export interface NamespaceSelector {
  readonly any?: boolean
  readonly matchNames?: readonly string[]
}

export interface SecretKey {
  readonly name: string
  readonly key: string
}

export interface SecretOrConfigMap {
  readonly secret?: SecretKey
  readonly configMap?: SecretKey
}

export interface Relabeling {
  readonly sourceLabels?: readonly string[]
  readonly separator?: string
  readonly targetLabel?: string
  readonly regex?: string
  readonly modulus?: number
  readonly replacement?: string
  readonly action?: string
}

export interface TlsSettings {
  readonly ca?: SecretOrConfigMap
  readonly cert?: SecretOrConfigMap
  readonly keySecret?: SecretKey
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly serverName?: string
  readonly insecureSkipVerify?: boolean
  readonly minVersion?: string
  readonly maxVersion?: string
}

export interface ProxySettings {
  readonly proxyUrl?: string
  readonly noProxy?: string
  readonly proxyFromEnvironment?: boolean
  readonly proxyConnectHeader?: Readonly<Record<string, readonly SecretKey[]>>
}

export interface HttpSettings extends ProxySettings {
  readonly basicAuth?: { readonly username?: SecretKey; readonly password?: SecretKey }
  readonly authorization?: {
    readonly type?: string
    readonly credentials?: SecretKey
    readonly credentialsFile?: string
  }
  readonly oauth2?: ProxySettings & {
    readonly clientId: SecretOrConfigMap
    readonly clientSecret: SecretKey
    readonly tokenUrl: string
    readonly scopes?: readonly string[]
    readonly endpointParams?: Readonly<Record<string, string>>
    readonly tlsConfig?: TlsSettings
  }
  readonly tlsConfig?: TlsSettings
  readonly bearerTokenFile?: string
  readonly bearerTokenSecret?: SecretKey
  readonly followRedirects?: boolean
  readonly enableHttp2?: boolean
}

/** Limits and switches of any object that becomes scrape jobs. */
export interface ScrapeLimits {
  readonly sampleLimit?: number
  readonly targetLimit?: number
  readonly labelLimit?: number
  readonly labelNameLengthLimit?: number
  readonly labelValueLengthLimit?: number
  readonly keepDroppedTargets?: number
  readonly bodySizeLimit?: string
  readonly scrapeProtocols?: readonly string[]
  readonly fallbackScrapeProtocol?: string
  readonly scrapeNativeHistograms?: boolean
  readonly nativeHistogramBucketLimit?: number
  readonly nativeHistogramMinBucketFactor?: number | string
  readonly scrapeClassicHistograms?: boolean
  readonly convertClassicHistogramsToNHCB?: boolean
}

/** What an endpoint of either monitor says of its requests. */
export interface MonitorEndpoint extends HttpSettings {
  readonly port?: string
  readonly targetPort?: string | number
  readonly path?: string
  readonly scheme?: string
  readonly params?: Readonly<Record<string, readonly string[]>>
  readonly interval?: string
  readonly scrapeTimeout?: string
  readonly honorLabels?: boolean
  readonly honorTimestamps?: boolean
  readonly trackTimestampsStaleness?: boolean
  readonly filterRunning?: boolean
  readonly relabelings?: readonly Relabeling[]
  readonly metricRelabelings?: readonly Relabeling[]
}

interface MonitorSpec extends ScrapeLimits {
  readonly selector?: LabelSelector
  readonly selectorMechanism?: 'RelabelConfig' | 'RoleSelector'
  readonly namespaceSelector?: NamespaceSelector
  readonly jobLabel?: string
  readonly podTargetLabels?: readonly string[]
  readonly attachMetadata?: { readonly node?: boolean }
}

export interface ServiceMonitor extends KubernetesObject {
  readonly spec: MonitorSpec & {
    readonly targetLabels?: readonly string[]
    readonly serviceDiscoveryRole?: 'Endpoints' | 'EndpointSlice'
    readonly endpoints?: readonly MonitorEndpoint[]
  }
}

export interface PodMonitor extends KubernetesObject {
  readonly spec: MonitorSpec & {
    readonly podMetricsEndpoints?: readonly (MonitorEndpoint & { readonly portNumber?: number })[]
  }
}

export interface Probe extends KubernetesObject {
  readonly spec: ScrapeLimits &
    HttpSettings & {
      readonly jobName?: string
      readonly interval?: string
      readonly scrapeTimeout?: string
      readonly module?: string
      readonly params?: readonly { readonly name: string; readonly values?: readonly string[] }[]
      readonly prober?: ProxySettings & { readonly url: string; readonly scheme?: string; readonly path?: string }
      readonly metricRelabelings?: readonly Relabeling[]
      readonly targets?: {
        readonly staticConfig?: {
          readonly static?: readonly string[]
          readonly labels?: Readonly<Record<string, string>>
          readonly relabelingConfigs?: readonly Relabeling[]
        }
        readonly ingress?: {
          readonly selector?: LabelSelector
          readonly namespaceSelector?: NamespaceSelector
          readonly relabelingConfigs?: readonly Relabeling[]
        }
      }
    }
}

export interface ScrapeConfigObject extends KubernetesObject {
  readonly spec: ScrapeLimits &
    HttpSettings & {
      readonly jobName?: string
      readonly metricsPath?: string
      readonly scheme?: string
      readonly params?: Readonly<Record<string, readonly string[]>>
      readonly scrapeInterval?: string
      readonly scrapeTimeout?: string
      readonly honorLabels?: boolean
      readonly honorTimestamps?: boolean
      readonly trackTimestampsStaleness?: boolean
      readonly enableCompression?: boolean
      readonly enableHTTP2?: boolean
      readonly relabelings?: readonly Relabeling[]
      readonly metricRelabelings?: readonly Relabeling[]
      readonly staticConfigs?: readonly {
        readonly targets?: readonly string[]
        readonly labels?: Readonly<Record<string, string>>
      }[]
      readonly httpSDConfigs?: readonly (HttpSettings & { readonly url: string; readonly refreshInterval?: string })[]
      readonly dnsSDConfigs?: readonly {
        readonly names: readonly string[]
        readonly type?: string
        readonly port?: number
        readonly refreshInterval?: string
      }[]
      readonly kubernetesSDConfigs?: readonly (HttpSettings & {
        readonly role: string
        readonly apiServer?: string
        readonly namespaces?: { readonly ownNamespace?: boolean; readonly names?: readonly string[] }
        readonly attachMetadata?: { readonly node?: boolean; readonly namespace?: boolean }
        readonly selectors?: readonly { readonly role: string; readonly label?: string; readonly field?: string }[]
      })[]
      readonly [other: string]: unknown
    }
}

export interface PrometheusRule extends KubernetesObject {
  readonly spec?: { readonly groups?: readonly Readonly<Record<string, unknown>>[] }
}
