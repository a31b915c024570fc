import type { HttpClientConfig } from '../lib/index.ts'
import type { Labels } from '../model/index.ts'

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
  readonly relabelConfigs?: readonly RelabelConfig[] | undefined
  readonly metricRelabelConfigs?: readonly RelabelConfig[] | undefined
  readonly http?: HttpClientConfig | undefined
  readonly staticConfigs?: readonly StaticConfig[] | undefined
  readonly fileSdConfigs?: readonly FileSdConfig[] | undefined
  readonly httpSdConfigs?: readonly HttpSdConfig[] | undefined
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
