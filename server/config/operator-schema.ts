/** `belltower: operator:`: which of the Prometheus Operator's objects in a Kubernetes cluster become scrape jobs and rules. */
import { z } from 'zod'
import { labelSelector } from './discovery-scalars.ts'
import { checkHttp, hasHttp, httpKeys } from './http-schema.ts'
import { list, optional, string } from './scalars.ts'

const selector = optional(labelSelector)

export const operatorSchema = z
  .strictObject({
    /** Default: the cluster this runs in. */
    api_server: optional(string),
    kubeconfig_file: optional(string),
    ...httpKeys,
    /** Default all. */
    namespaces: list(string),
    /** Default all; a kind that the cluster does not know is no fault. */
    kinds: list(z.enum(['ServiceMonitor', 'PodMonitor', 'Probe', 'ScrapeConfig', 'PrometheusRule'])),
    service_monitor_selector: selector,
    pod_monitor_selector: selector,
    probe_selector: selector,
    scrape_config_selector: selector,
    rule_selector: selector,
    /** How ServiceMonitors that do not say find their targets. Default Endpoints. */
    service_discovery_role: optional(z.enum(['Endpoints', 'EndpointSlice'])),
  })
  .superRefine(checkHttp)
  .superRefine((file, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if (file.api_server && file.kubeconfig_file) {
      fault('kubeconfig_file', "cannot use 'kubeconfig_file' and 'api_server' simultaneously")
    }
    if (!file.api_server && hasHttp(file)) {
      fault('api_server', "to use custom HTTP client configuration please provide the 'api_server' URL explicitly")
    }
  })
export type OperatorFile = z.output<typeof operatorSchema>
