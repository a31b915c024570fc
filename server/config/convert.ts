/** From the file's shape (snake case, defaults missing) to what the parts run on (camel case, everything inherited). */
import { NATIVE_SCRAPE_PROTOCOLS, type RelabelConfig, type ScrapeConfig } from '../../scraper/index.ts'
import { convertDiscoveries, convertFileSd, convertHttpSd } from './convert-discovery.ts'
import { convertHttp, resolverOf } from './convert-http.ts'
import { expandEnvironment } from './environment.ts'
import type { RelabelFile } from './relabel-schema.ts'
import type { ConfigFile, GlobalFile, ScrapeFile } from './schema.ts'

const SCRAPE_INTERVAL_MS = 60_000
const SCRAPE_TIMEOUT_MS = 10_000
const EVALUATION_INTERVAL_MS = 60_000

export interface GlobalConfig {
  readonly scrapeIntervalMs: number
  readonly scrapeTimeoutMs: number
  readonly evaluationIntervalMs: number
  readonly ruleQueryOffsetMs: number
  readonly externalLabels: Readonly<Record<string, string>>
  /** As written, '' = none. */
  readonly queryLogFile: string
}

export function convertGlobal(file: GlobalFile | undefined, env: NodeJS.ProcessEnv): GlobalConfig {
  const scrapeIntervalMs = file?.scrape_interval ?? SCRAPE_INTERVAL_MS
  return {
    scrapeIntervalMs,
    scrapeTimeoutMs: file?.scrape_timeout ?? Math.min(SCRAPE_TIMEOUT_MS, scrapeIntervalMs),
    evaluationIntervalMs: file?.evaluation_interval ?? EVALUATION_INTERVAL_MS,
    ruleQueryOffsetMs: file?.rule_query_offset ?? 0,
    queryLogFile: file?.query_log_file ?? '',
    externalLabels: Object.fromEntries(
      Object.entries(file?.external_labels ?? {}).map(([name, value]) => [name, expandEnvironment(value, env)]),
    ),
  }
}

/** @param configPath where the file lies: relative paths in it start there */
export function convertScrape(
  file: ScrapeFile,
  config: ConfigFile,
  global: GlobalConfig,
  configPath: string,
): ScrapeConfig {
  const inherited = config.global
  const scrapeIntervalMs = file.scrape_interval ?? global.scrapeIntervalMs
  const resolve = resolverOf(configPath)
  const natives = file.scrape_native_histograms ?? inherited?.scrape_native_histograms
  const validation = file.metric_name_validation_scheme ?? inherited?.metric_name_validation_scheme
  const failureLog = file.scrape_failure_log_file ?? inherited?.scrape_failure_log_file
  return {
    jobName: file.job_name,
    scrapeIntervalMs,
    scrapeTimeoutMs: file.scrape_timeout ?? Math.min(global.scrapeTimeoutMs, scrapeIntervalMs),
    scrapeProtocols:
      file.scrape_protocols ?? inherited?.scrape_protocols ?? (natives ? NATIVE_SCRAPE_PROTOCOLS : undefined),
    fallbackScrapeProtocol: file.fallback_scrape_protocol,
    metricsPath: file.metrics_path,
    scheme: file.scheme,
    params: file.params,
    honorLabels: file.honor_labels,
    honorTimestamps: file.honor_timestamps,
    trackTimestampsStaleness: file.track_timestamps_staleness,
    enableCompression: file.enable_compression,
    bodyBytesMax: file.body_size_limit ?? inherited?.body_size_limit,
    sampleLimit: file.sample_limit ?? inherited?.sample_limit,
    labelLimit: file.label_limit ?? inherited?.label_limit,
    labelNameLengthLimit: file.label_name_length_limit ?? inherited?.label_name_length_limit,
    labelValueLengthLimit: file.label_value_length_limit ?? inherited?.label_value_length_limit,
    targetLimit: file.target_limit ?? inherited?.target_limit,
    keepDroppedTargets: file.keep_dropped_targets ?? inherited?.keep_dropped_targets,
    metricNameValidationScheme: validation,
    metricNameEscapingScheme:
      file.metric_name_escaping_scheme ??
      inherited?.metric_name_escaping_scheme ??
      (validation === 'legacy' ? 'underscores' : undefined),
    scrapeNativeHistograms: natives,
    convertClassicHistogramsToNhcb:
      file.convert_classic_histograms_to_nhcb ?? inherited?.convert_classic_histograms_to_nhcb,
    alwaysScrapeClassicHistograms: file.always_scrape_classic_histograms ?? inherited?.always_scrape_classic_histograms,
    nativeHistogramBucketLimit: file.native_histogram_bucket_limit,
    nativeHistogramMinBucketFactor: file.native_histogram_min_bucket_factor,
    scrapeFailureLogFile: failureLog === undefined ? undefined : resolve(failureLog),
    extraScrapeMetrics: file.extra_scrape_metrics ?? inherited?.extra_scrape_metrics,
    relabelConfigs: file.relabel_configs.map(convertRelabel),
    metricRelabelConfigs: file.metric_relabel_configs.map(convertRelabel),
    http: convertHttp(file, configPath),
    staticConfigs: file.static_configs,
    fileSdConfigs: convertFileSd(file, configPath),
    httpSdConfigs: convertHttpSd(file, configPath),
    discoveries: convertDiscoveries(file, configPath),
  }
}

export function convertRelabel(file: RelabelFile): RelabelConfig {
  return {
    sourceLabels: file.source_labels,
    separator: file.separator,
    targetLabel: file.target_label,
    regex: file.regex,
    modulus: file.modulus,
    replacement: file.replacement,
    action: file.action,
  }
}
