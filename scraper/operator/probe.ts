import type { Probe } from './objects.ts'
import { constant, fromLabel, KEEP_JOB_NAME, ownRules, selectorRules } from './relabelings.ts'
import { type FilePart, httpPart, type JobContext, kubernetesPart, limitsPart, present, proxyPart } from './settings.ts'

const PATH_DEFAULT = '/probe'

/** The scrape job of a Probe, as the Operator writes it. @throws {DiscoveryError} */
export async function probeJob({ metadata, spec }: Probe, context: JobContext): Promise<FilePart> {
  const namespace = metadata.namespace ?? ''
  const { prober, targets } = spec
  const params: Record<string, readonly string[]> = spec.module ? { module: [spec.module] } : {}
  for (const { name, values = [] } of spec.params ?? []) params[name] ??= values
  return present({
    job_name: `probe/${namespace}/${metadata.name}`,
    honor_timestamps: true,
    metrics_path: prober?.path || PATH_DEFAULT,
    scrape_interval: spec.interval || undefined,
    scrape_timeout: spec.scrapeTimeout || undefined,
    scheme: prober?.scheme?.toLowerCase(),
    params: Object.keys(params).length > 0 ? params : undefined,
    ...limitsPart(spec),
    ...(prober && (await proxyPart(prober, namespace, context.secrets))),
    ...(await httpPart(spec, namespace, context.secrets)),
    ...(targets?.staticConfig
      ? staticTargets(targets.staticConfig, spec, namespace)
      : targets?.ingress && ingressTargets(targets.ingress, spec, namespace, context)),
    metric_relabel_configs: spec.metricRelabelings?.length ? ownRules(spec.metricRelabelings) : undefined,
  })
}

const jobRules = (spec: Probe['spec']): FilePart[] => [
  KEEP_JOB_NAME,
  ...(spec.jobName ? [constant('job', spec.jobName)] : []),
]

function staticTargets(
  of: NonNullable<NonNullable<Probe['spec']['targets']>['staticConfig']>,
  spec: Probe['spec'],
  namespace: string,
): FilePart {
  return {
    static_configs: [{ targets: of.static ?? [], labels: { namespace, ...of.labels } }],
    relabel_configs: [
      ...jobRules(spec),
      fromLabel('__address__', '__param_target'),
      fromLabel('__param_target', 'instance'),
      constant('__address__', spec.prober?.url ?? ''),
      ...ownRules(of.relabelingConfigs),
    ],
  }
}

function ingressTargets(
  of: NonNullable<NonNullable<Probe['spec']['targets']>['ingress']>,
  spec: Probe['spec'],
  namespace: string,
  context: JobContext,
): FilePart {
  const ingress = '__meta_kubernetes_ingress_'
  return {
    kubernetes_sd_configs: [kubernetesPart('ingress', of.namespaceSelector, namespace, context)],
    relabel_configs: [
      ...jobRules(spec),
      ...selectorRules(of.selector, 'ingress'),
      {
        source_labels: [`${ingress}scheme`, '__address__', `${ingress}path`],
        separator: ';',
        regex: '(.+);(.+);(.+)',
        target_label: '__param_target',
        replacement: '${1}://${2}${3}',
        action: 'replace',
      },
      fromLabel('__meta_kubernetes_namespace', 'namespace'),
      fromLabel(`${ingress}name`, 'ingress'),
      {
        source_labels: ['__address__'],
        separator: ';',
        regex: '(.*)',
        target_label: '__tmp_ingress_address',
        replacement: '$1',
        action: 'replace',
      },
      fromLabel('__param_target', 'instance'),
      constant('__address__', spec.prober?.url ?? ''),
      ...ownRules(of.relabelingConfigs),
    ],
  }
}
