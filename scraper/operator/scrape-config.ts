import { DiscoveryError } from '../discovery/poll.ts'
import type { ScrapeConfigObject } from './objects.ts'
import { constant, KEEP_JOB_NAME, ownRules } from './relabelings.ts'
import { type FilePart, httpPart, type JobContext, limitsPart, present } from './settings.ts'

const KNOWN_SD: ReadonlySet<string> = new Set(['httpSDConfigs', 'dnsSDConfigs', 'kubernetesSDConfigs'])

/** The scrape job of a ScrapeConfig, as the Operator writes it. @throws {DiscoveryError} for discoveries that are not read */
export async function scrapeConfigJob(object: ScrapeConfigObject, context: JobContext): Promise<FilePart> {
  const { metadata, spec } = object
  const namespace = metadata.namespace ?? ''
  const unknown = Object.keys(spec).find((key) => key.endsWith('SDConfigs') && !KNOWN_SD.has(key))
  if (unknown !== undefined) throw new DiscoveryError(`${unknown} of a ScrapeConfig object is not supported`)
  return present({
    job_name: `scrapeConfig/${namespace}/${metadata.name}`,
    honor_timestamps: spec.honorTimestamps,
    track_timestamps_staleness: spec.trackTimestampsStaleness,
    honor_labels: spec.honorLabels,
    metrics_path: spec.metricsPath,
    params: spec.params,
    enable_compression: spec.enableCompression,
    scrape_interval: spec.scrapeInterval,
    scrape_timeout: spec.scrapeTimeout,
    scheme: spec.scheme?.toLowerCase(),
    ...limitsPart(spec),
    ...(await httpPart(spec, namespace, context.secrets)),
    enable_http2: spec.enableHTTP2,
    static_configs: spec.staticConfigs?.map(({ targets = [], labels = {} }) => ({ targets, labels })),
    http_sd_configs: await httpLists(spec, namespace, context),
    dns_sd_configs: spec.dnsSDConfigs?.map(({ names, type, port, refreshInterval }) =>
      present({ names, type, port, refresh_interval: refreshInterval }),
    ),
    kubernetes_sd_configs: await kubernetesLists(spec, namespace, context),
    relabel_configs: [
      KEEP_JOB_NAME,
      ...(spec.jobName === undefined ? [] : [{ ...constant('job', spec.jobName), action: 'replace' }]),
      ...ownRules(spec.relabelings),
    ],
    metric_relabel_configs: spec.metricRelabelings?.length ? ownRules(spec.metricRelabelings) : undefined,
  })
}

async function httpLists({ httpSDConfigs }: ScrapeConfigObject['spec'], namespace: string, context: JobContext) {
  if (!httpSDConfigs) return undefined
  return Promise.all(
    httpSDConfigs.map(async (list) => ({
      ...(await httpPart(list, namespace, context.secrets)),
      ...present({ url: list.url, refresh_interval: list.refreshInterval }),
    })),
  )
}

/** With a server of their own, or in the cluster that the object stands in. */
async function kubernetesLists(
  { kubernetesSDConfigs }: ScrapeConfigObject['spec'],
  namespace: string,
  { secrets, access }: JobContext,
) {
  if (!kubernetesSDConfigs) return undefined
  return Promise.all(
    kubernetesSDConfigs.map(async (list) => ({
      ...(list.apiServer === undefined
        ? access
        : { api_server: list.apiServer, ...(await httpPart(list, namespace, secrets)) }),
      ...present({
        role: list.role.toLowerCase(),
        namespaces:
          list.namespaces && present({ own_namespace: list.namespaces.ownNamespace, names: list.namespaces.names }),
        attach_metadata: list.attachMetadata,
        selectors: list.selectors?.map(({ role, label, field }) => present({ role: role.toLowerCase(), label, field })),
      }),
    })),
  )
}
