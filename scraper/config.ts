import type { HttpClientConfig } from '../lib/index.ts'
import type { Labels } from '../model/index.ts'
import type { DiscoveryConfig, FileSdConfig, HttpSdConfig, StaticConfig } from './discovery/config.ts'

export type { DiscoveryConfig, DiscoveryKind, FileSdConfig, HttpSdConfig, StaticConfig } from './discovery/config.ts'

/** Media types a scrape may ask for, by the names the configuration file uses. */
export type ScrapeProtocol =
  | 'PrometheusProto'
  | 'OpenMetricsText1.0.0'
  | 'OpenMetricsText0.0.1'
  | 'PrometheusText1.0.0'
  | 'PrometheusText0.0.4'

export const DEFAULT_SCRAPE_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
]

/** Where native histograms are wanted: only protobuf carries them. */
export const NATIVE_SCRAPE_PROTOCOLS: readonly ScrapeProtocol[] = ['PrometheusProto', ...DEFAULT_SCRAPE_PROTOCOLS]

export type RelabelAction =
  | 'replace'
  | 'keep'
  | 'drop'
  | 'keepequal'
  | 'dropequal'
  | 'hashmod'
  | 'labelmap'
  | 'labeldrop'
  | 'labelkeep'
  | 'lowercase'
  | 'uppercase'

/** One relabelling rule. What is left out takes Prometheus' default; an explicit empty separator or replacement counts. */
export interface RelabelConfig {
  /** Default none. */
  readonly sourceLabels?: readonly string[] | undefined
  /** Default `;`. */
  readonly separator?: string | undefined
  readonly targetLabel?: string | undefined
  /** RE2, matched against the whole text. Default `(.*)`. */
  readonly regex?: string | undefined
  /** Of `hashmod`. */
  readonly modulus?: number | undefined
  /** Default `$1`. */
  readonly replacement?: string | undefined
  /** Default `replace`. */
  readonly action?: RelabelAction | undefined
}

/** One `scrape_configs` entry with everything inherited from `global` filled in. Limits: 0 = none. */
export interface ScrapeConfig {
  readonly jobName: string
  readonly scrapeIntervalMs: number
  /** At most the interval. */
  readonly scrapeTimeoutMs: number
  /** Default `DEFAULT_SCRAPE_PROTOCOLS`. */
  readonly scrapeProtocols?: readonly ScrapeProtocol[] | undefined
  /** Used where the answer's Content-Type is missing or unknown; without it such a scrape fails. */
  readonly fallbackScrapeProtocol?: ScrapeProtocol | undefined
  /** Default `/metrics`. */
  readonly metricsPath?: string | undefined
  /** Default `http`. */
  readonly scheme?: 'http' | 'https' | undefined
  readonly params?: Readonly<Record<string, readonly string[]>> | undefined
  /** Default false. */
  readonly honorLabels?: boolean | undefined
  /** Default true. */
  readonly honorTimestamps?: boolean | undefined
  /** Default false. */
  readonly trackTimestampsStaleness?: boolean | undefined
  /** Ask for gzip; default true. */
  readonly enableCompression?: boolean | undefined
  readonly bodyBytesMax?: number | undefined
  readonly sampleLimit?: number | undefined
  readonly labelLimit?: number | undefined
  readonly labelNameLengthLimit?: number | undefined
  readonly labelValueLengthLimit?: number | undefined
  readonly targetLimit?: number | undefined
  readonly keepDroppedTargets?: number | undefined
  /** Default `utf8`. */
  readonly metricNameValidationScheme?: 'utf8' | 'legacy' | undefined
  /** Default `allow-utf-8`. */
  readonly metricNameEscapingScheme?: 'allow-utf-8' | 'underscores' | 'dots' | 'values' | undefined
  /** Adds scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes; default false. */
  readonly extraScrapeMetrics?: boolean | undefined
  /** Default false: of native histograms nothing is stored. */
  readonly scrapeNativeHistograms?: boolean | undefined
  /** Classic histograms become native ones with their own bucket bounds; default false. */
  readonly convertClassicHistogramsToNhcb?: boolean | undefined
  /** Classic series also where a native histogram takes their place; default false. */
  readonly alwaysScrapeClassicHistograms?: boolean | undefined
  /** Native histograms with more buckets lose resolution until they fit. */
  readonly nativeHistogramBucketLimit?: number | undefined
  /** Native histograms whose buckets grow by less lose resolution. */
  readonly nativeHistogramMinBucketFactor?: number | undefined
  /** Failed scrapes are written there, one JSON object a line. */
  readonly scrapeFailureLogFile?: string | undefined
  readonly relabelConfigs?: readonly RelabelConfig[] | undefined
  readonly metricRelabelConfigs?: readonly RelabelConfig[] | undefined
  readonly http?: HttpClientConfig | undefined
  readonly staticConfigs?: readonly StaticConfig[] | undefined
  readonly fileSdConfigs?: readonly FileSdConfig[] | undefined
  readonly httpSdConfigs?: readonly HttpSdConfig[] | undefined
  /** Every other kind of discovery. */
  readonly discoveries?: readonly DiscoveryConfig[] | undefined
}

/** What the scrape manager runs on. */
export interface ScraperConfig {
  readonly global: {
    /** Part of the seed that spreads scrapes over the interval, so that replicas scrape at different moments. */
    readonly externalLabels: Labels
  }
  /** Job names are unique. */
  readonly scrapeConfigs: readonly ScrapeConfig[]
}
