/** The shape of `prometheus.yml`, strict, with Belltower's own key `belltower:`. What it yields is still file-shaped. */
import { z } from 'zod'
import { discoveryKeys } from './discovery-schema.ts'
import { checkHttp, httpKeys } from './http-schema.ts'
import { operatorSchema } from './operator-schema.ts'
import { otlpSchema } from './otlp-schema.ts'
import { pushSchema } from './push-schema.ts'
import { storageSchema } from './storage-schema.ts'
import { relabelConfig } from './relabel-schema.ts'
import { remoteList, remoteRead, remoteWrite, sigv4 } from './remote-schema.ts'
import { boolean, count, duration, labelMap, list, optional, size, string } from './scalars.ts'
import { tracingSchema } from './tracing-schema.ts'

// ---- scraping ----------------------------------------------------------------------------------------------------------

const scrapeProtocol = z.enum([
  'PrometheusProto',
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
])
const scrapeProtocols = z
  .array(scrapeProtocol)
  .min(1)
  .refine((names) => new Set(names).size === names.length, { error: 'duplicated protocol in scrape_protocols' })

/** Limits and switches that a scrape job inherits from `global`. */
const inheritedKeys = {
  scrape_protocols: optional(scrapeProtocols),
  body_size_limit: optional(size),
  sample_limit: optional(count),
  label_limit: optional(count),
  label_name_length_limit: optional(count),
  label_value_length_limit: optional(count),
  target_limit: optional(count),
  keep_dropped_targets: optional(count),
  metric_name_validation_scheme: optional(z.enum(['utf8', 'legacy'])),
  metric_name_escaping_scheme: optional(z.enum(['allow-utf-8', 'underscores', 'dots', 'values'])),
  scrape_native_histograms: optional(boolean),
  convert_classic_histograms_to_nhcb: optional(boolean),
  always_scrape_classic_histograms: optional(boolean),
  extra_scrape_metrics: optional(boolean),
  scrape_failure_log_file: optional(string),
}

const scrapeConfig = z
  .strictObject({
    job_name: z.string({ error: 'job_name is required' }).min(1, { error: 'job_name is empty' }),
    scrape_interval: optional(duration),
    scrape_timeout: optional(duration),
    ...inheritedKeys,
    fallback_scrape_protocol: optional(scrapeProtocol),
    metrics_path: optional(string),
    scheme: optional(z.enum(['http', 'https'])),
    params: optional(z.record(z.string(), list(string))),
    honor_labels: optional(boolean),
    honor_timestamps: optional(boolean),
    track_timestamps_staleness: optional(boolean),
    enable_compression: optional(boolean),
    native_histogram_bucket_limit: optional(count),
    native_histogram_min_bucket_factor: optional(z.number().nonnegative()),
    relabel_configs: list(relabelConfig),
    metric_relabel_configs: list(relabelConfig),
    ...discoveryKeys,
    ...httpKeys,
  })
  .superRefine(checkHttp)
export type ScrapeFile = z.output<typeof scrapeConfig>

/** A file that `scrape_config_files` names. */
export const scrapeFileSchema = z.strictObject({ scrape_configs: list(scrapeConfig) })
export type ScrapeFileList = z.output<typeof scrapeFileSchema>

const global = z.strictObject({
  scrape_interval: optional(duration),
  scrape_timeout: optional(duration),
  evaluation_interval: optional(duration),
  rule_query_offset: optional(duration),
  external_labels: labelMap.superRefine((labels, context) => {
    for (const name of Object.keys(labels)) {
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
        context.addIssue({ code: 'custom', path: [name], message: `${JSON.stringify(name)} is not a valid label name` })
      }
    }
  }),
  query_log_file: optional(string),
  ...inheritedKeys,
})
export type GlobalFile = z.output<typeof global>

// ---- the file ----------------------------------------------------------------------------------------------------------

const PERCENTAGE_RANGE = "'storage.tsdb.retention.percentage' must be in the range [0, 100]"

const alertmanagers = z
  .strictObject({
    scheme: optional(z.enum(['http', 'https'])),
    path_prefix: optional(string),
    timeout: optional(duration),
    api_version: optional(z.literal('v2', { error: 'expected "v2", the only version there is' })),
    relabel_configs: list(relabelConfig),
    alert_relabel_configs: list(relabelConfig),
    sigv4: optional(sigv4),
    ...discoveryKeys,
    ...httpKeys,
  })
  .superRefine(checkHttp)
  .refine((set) => set.sigv4 === undefined || (set.basic_auth ?? set.authorization ?? set.oauth2) === undefined, {
    path: ['sigv4'],
    error: 'at most one of basic_auth, authorization, oauth2, & sigv4 must be configured',
  })
export type AlertmanagersFile = z.output<typeof alertmanagers>

export const configSchema = z.strictObject({
  global: optional(global),
  runtime: optional(z.strictObject({ gogc: optional(z.number()) })),
  rule_files: list(
    z.string().refine((pattern) => /^([^*?[]*\/)?([^/[]|\[[^\]/]+\])*$/.test(pattern), {
      error: (issue) => `${JSON.stringify(issue.input)} is not a valid pattern of file names`,
    }),
  ),
  scrape_config_files: list(
    z.string().refine((pattern) => /^[^*]*(\*[^/]*)?$/.test(pattern), {
      error: (issue) => `${JSON.stringify(issue.input)} is not a valid pattern of file names`,
    }),
  ),
  scrape_configs: list(scrapeConfig),
  alerting: optional(
    z.strictObject({ alert_relabel_configs: list(relabelConfig), alertmanagers: list(alertmanagers) }),
  ),
  storage: optional(
    z.strictObject({
      tsdb: optional(
        z.strictObject({
          out_of_order_time_window: optional(duration),
          retention: optional(
            z.strictObject({
              time: optional(duration),
              size: optional(size),
              percentage: optional(
                z.number().min(0, { error: PERCENTAGE_RANGE }).max(100, { error: PERCENTAGE_RANGE }),
              ),
            }),
          ),
          // About Prometheus' own chunks and head; nothing here to set by them.
          chunk_encoding: optional(z.strictObject({ floats: optional(z.enum(['xor', 'xor2'])) })),
          stale_series_compaction_threshold: optional(z.number().min(0).max(1)),
        }),
      ),
      exemplars: optional(z.strictObject({ max_exemplars: optional(z.number().int()) })),
    }),
  ),
  remote_write: remoteList('remote write', remoteWrite),
  remote_read: remoteList('remote read', remoteRead),
  otlp: optional(otlpSchema),
  tracing: optional(tracingSchema),
  belltower: optional(
    z.strictObject({
      /** Path of an Alertmanager configuration, or the configuration itself. */
      alertmanager: optional(z.union([z.string(), z.looseObject({})])),
      /** Adds the built-in jobs (own metrics, this host, the Pushgateway) to the jobs of this file. */
      self_monitoring: optional(boolean),
      /** Path of a blackbox_exporter configuration, or the configuration itself: the modules of `/probe`. */
      probes: optional(z.union([z.string(), z.looseObject({})])),
      push: optional(pushSchema),
      operator: optional(operatorSchema),
      storage: optional(storageSchema),
      /** Path of a file about people on call, or its contents; it needs the Alertmanager's receivers to be checked. */
      on_call: optional(z.union([z.string(), z.looseObject({})])),
    }),
  ),
})
export type ConfigFile = z.output<typeof configSchema>
