/** From the file's shape (snake case, defaults missing) to what the parts run on (camel case, everything inherited). */
import { dirname, isAbsolute, join } from 'node:path'
import type { HttpClientConfig } from '../../lib/index.ts'
import { expandEnvironment } from './environment.ts'
import type { RelabelConfig, ScrapeConfig } from '../../scraper/index.ts'
import type { ConfigFile, GlobalFile, HttpConfigFile, RelabelFile, ScrapeFile } from './schema.ts'

const SCRAPE_INTERVAL_MS = 60_000
const SCRAPE_TIMEOUT_MS = 10_000
const EVALUATION_INTERVAL_MS = 60_000

export interface GlobalConfig {
  readonly scrapeIntervalMs: number
  readonly scrapeTimeoutMs: number
  readonly evaluationIntervalMs: number
  readonly ruleQueryOffsetMs: number
  readonly externalLabels: Readonly<Record<string, string>>
}

export function convertGlobal(file: GlobalFile | undefined, env: NodeJS.ProcessEnv): GlobalConfig {
  const scrapeIntervalMs = file?.scrape_interval ?? SCRAPE_INTERVAL_MS
  return {
    scrapeIntervalMs,
    scrapeTimeoutMs: file?.scrape_timeout ?? Math.min(SCRAPE_TIMEOUT_MS, scrapeIntervalMs),
    evaluationIntervalMs: file?.evaluation_interval ?? EVALUATION_INTERVAL_MS,
    ruleQueryOffsetMs: file?.rule_query_offset ?? 0,
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
  return {
    jobName: file.job_name,
    scrapeIntervalMs,
    scrapeTimeoutMs: file.scrape_timeout ?? Math.min(global.scrapeTimeoutMs, scrapeIntervalMs),
    scrapeProtocols: file.scrape_protocols ?? inherited?.scrape_protocols,
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
    metricNameValidationScheme: file.metric_name_validation_scheme ?? inherited?.metric_name_validation_scheme,
    metricNameEscapingScheme: file.metric_name_escaping_scheme ?? inherited?.metric_name_escaping_scheme,
    extraScrapeMetrics: file.extra_scrape_metrics ?? inherited?.extra_scrape_metrics,
    relabelConfigs: file.relabel_configs.map(convertRelabel),
    metricRelabelConfigs: file.metric_relabel_configs.map(convertRelabel),
    http: convertHttp(file, configPath),
    staticConfigs: file.static_configs,
    fileSdConfigs: file.file_sd_configs.map((sd) => ({
      files: sd.files.map(resolve),
      refreshIntervalMs: sd.refresh_interval,
    })),
    httpSdConfigs: file.http_sd_configs.map((sd) => ({
      url: sd.url,
      refreshIntervalMs: sd.refresh_interval,
      http: convertHttp(sd, configPath),
    })),
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

export function convertHttp(file: HttpConfigFile, configPath: string): HttpClientConfig {
  const resolve = resolverOf(configPath)
  const tls = file.tls_config
  const headers = Object.entries(file.http_headers ?? {}).map(([name, { values, secrets }]) => [
    name,
    [...values, ...secrets].join(', '),
  ])
  return defined({
    basicAuth: file.basic_auth && {
      username: file.basic_auth.username ?? '',
      ...defined({
        password: file.basic_auth.password,
        passwordFile: file.basic_auth.password_file && resolve(file.basic_auth.password_file),
      }),
    },
    authorization: file.authorization && {
      type: file.authorization.type ?? 'Bearer',
      ...defined({
        credentials: file.authorization.credentials,
        credentialsFile: file.authorization.credentials_file && resolve(file.authorization.credentials_file),
      }),
    },
    tls:
      tls &&
      defined({
        ca: tls.ca,
        caFile: tls.ca_file && resolve(tls.ca_file),
        cert: tls.cert,
        certFile: tls.cert_file && resolve(tls.cert_file),
        key: tls.key,
        keyFile: tls.key_file && resolve(tls.key_file),
        serverName: tls.server_name,
        insecureSkipVerify: tls.insecure_skip_verify,
      }),
    proxyUrl: file.proxy_url,
    followRedirects: file.follow_redirects,
    headers: headers.length > 0 ? Object.fromEntries(headers) : undefined,
  })
}

/** Makes a path that a configuration file names absolute: relative to that file's folder. */
export function resolverOf(configPath: string): (path: string) => string {
  const folder = dirname(configPath)
  return (path) => (isAbsolute(path) ? path : join(folder, path))
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined | ''> }

/** Without the keys that are undefined, as `exactOptionalPropertyTypes` wants it. */
function defined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>
}
