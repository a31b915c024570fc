import type { MonitorEndpoint, PodMonitor, ServiceMonitor } from './objects.ts'
import {
  constant,
  copyLabel,
  DROP_FINISHED_PODS,
  fromLabel,
  KEEP_JOB_NAME,
  keepMatching,
  ownRules,
  selectorRules,
  selectorText,
} from './relabelings.ts'
import { endpointPart, type FilePart, httpPart, type JobContext, kubernetesPart, limitsPart } from './settings.ts'

/** A scrape job for each endpoint of a ServiceMonitor, as the Operator writes it. @throws {DiscoveryError} */
export function serviceMonitorJobs(monitor: ServiceMonitor, context: JobContext): Promise<FilePart[]> {
  const { metadata, spec } = monitor
  const namespace = metadata.namespace ?? ''
  const role = spec.serviceDiscoveryRole?.toLowerCase() ?? context.endpointRole
  const isRelabelled = spec.selectorMechanism !== 'RoleSelector'
  const discovery = {
    ...kubernetesPart(role, spec.namespaceSelector, namespace, context),
    ...attach(spec.attachMetadata),
    ...(!isRelabelled && roleSelectors([role, 'service'], selectorText(spec.selector))),
  }
  return Promise.all(
    (spec.endpoints ?? []).map(async (endpoint, i) => ({
      job_name: `serviceMonitor/${namespace}/${metadata.name}/${i}`,
      ...endpointPart(endpoint),
      kubernetes_sd_configs: [discovery],
      ...(await httpPart(endpoint, namespace, context.secrets)),
      relabel_configs: [
        KEEP_JOB_NAME,
        ...(isRelabelled ? selectorRules(spec.selector, 'service') : []),
        ...portRules(endpoint, role),
        ...placeRules(role),
        ...(endpoint.filterRunning === false ? [] : [DROP_FINISHED_PODS]),
        ...(spec.targetLabels ?? []).map((name) => copyLabel('service', name)),
        ...(spec.podTargetLabels ?? []).map((name) => copyLabel('pod', name)),
        // The name of the service stays where the job label has no value.
        { source_labels: ['__meta_kubernetes_service_name'], target_label: 'job', replacement: '${1}' },
        ...(spec.jobLabel ? [copyLabel('service', spec.jobLabel, 'job')] : []),
        ...endpointLabel(endpoint),
        ...ownRules(endpoint.relabelings),
      ],
      ...limitsPart(spec),
      ...metricRules(endpoint),
    })),
  )
}

/** A scrape job for each endpoint of a PodMonitor, as the Operator writes it. @throws {DiscoveryError} */
export function podMonitorJobs(monitor: PodMonitor, context: JobContext): Promise<FilePart[]> {
  const { metadata, spec } = monitor
  const namespace = metadata.namespace ?? ''
  const isRelabelled = spec.selectorMechanism !== 'RoleSelector'
  const discovery = {
    ...kubernetesPart('pod', spec.namespaceSelector, namespace, context),
    ...attach(spec.attachMetadata),
    ...(!isRelabelled && roleSelectors(['pod'], selectorText(spec.selector))),
  }
  return Promise.all(
    (spec.podMetricsEndpoints ?? []).map(async (endpoint, i) => ({
      job_name: `podMonitor/${namespace}/${metadata.name}/${i}`,
      ...endpointPart(endpoint),
      kubernetes_sd_configs: [discovery],
      ...(await httpPart(endpoint, namespace, context.secrets)),
      relabel_configs: [
        KEEP_JOB_NAME,
        ...(endpoint.filterRunning === false ? [] : [DROP_FINISHED_PODS]),
        ...(isRelabelled ? selectorRules(spec.selector, 'pod') : []),
        ...podPortRules(endpoint),
        fromLabel('__meta_kubernetes_namespace', 'namespace'),
        fromLabel('__meta_kubernetes_pod_container_name', 'container'),
        fromLabel('__meta_kubernetes_pod_name', 'pod'),
        ...(spec.podTargetLabels ?? []).map((name) => copyLabel('pod', name)),
        constant('job', `${namespace}/${metadata.name}`),
        ...(spec.jobLabel ? [copyLabel('pod', spec.jobLabel, 'job')] : []),
        ...endpointLabel(endpoint),
        ...ownRules(endpoint.relabelings),
      ],
      ...limitsPart(spec),
      ...metricRules(endpoint),
    })),
  )
}

const attach = (metadata: { readonly node?: boolean } | undefined): FilePart =>
  metadata?.node === undefined ? {} : { attach_metadata: { node: metadata.node } }

const roleSelectors = (roles: readonly string[], label: string): FilePart =>
  label === '' ? {} : { selectors: roles.map((role) => ({ role, label })) }

const metricRules = ({ metricRelabelings }: MonitorEndpoint): FilePart =>
  metricRelabelings?.length ? { metric_relabel_configs: ownRules(metricRelabelings) } : {}

/** By the name of the service's port, else by the container's port. */
function portRules(endpoint: MonitorEndpoint, role: string): FilePart[] {
  if (endpoint.port) {
    const what = role === 'endpointslice' ? 'endpointslice' : 'endpoint'
    return [keepMatching(`__meta_kubernetes_${what}_port_name`, endpoint.port)]
  }
  return targetPortRules(endpoint.targetPort)
}

function podPortRules(endpoint: MonitorEndpoint & { readonly portNumber?: number }): FilePart[] {
  if (endpoint.port) return [keepMatching('__meta_kubernetes_pod_container_port_name', endpoint.port)]
  return targetPortRules(endpoint.portNumber || endpoint.targetPort)
}

function targetPortRules(port: string | number | undefined): FilePart[] {
  if (!port) return []
  const what = typeof port === 'string' ? 'name' : 'number'
  return [keepMatching(`__meta_kubernetes_pod_container_port_${what}`, String(port))]
}

/** The port's name, as a service may have several endpoints. */
function endpointLabel({ port, targetPort }: MonitorEndpoint): FilePart[] {
  const name = port || (targetPort === undefined ? '' : String(targetPort))
  return name === '' ? [] : [constant('endpoint', name)]
}

/** Where a target runs, as labels. */
function placeRules(role: string): FilePart[] {
  const address = `__meta_kubernetes_${role === 'endpointslice' ? 'endpointslice' : 'endpoint'}_address_target_`
  const ofKind = (kind: string, target: string): FilePart => ({
    source_labels: [`${address}kind`, `${address}name`],
    separator: ';',
    regex: `${kind};(.*)`,
    replacement: '${1}',
    target_label: target,
  })
  return [
    ofKind('Node', 'node'),
    ofKind('Pod', 'pod'),
    fromLabel('__meta_kubernetes_namespace', 'namespace'),
    fromLabel('__meta_kubernetes_service_name', 'service'),
    fromLabel('__meta_kubernetes_pod_name', 'pod'),
    fromLabel('__meta_kubernetes_pod_container_name', 'container'),
  ]
}
