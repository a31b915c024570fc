/** The `*_sd_configs` lists as Prometheus' configuration file has them. */
import { z } from 'zod'
import { cloudDiscoveryKeys } from './cloud-discovery-schema.ts'
import { filters, labelSelector, port } from './discovery-scalars.ts'
import { checkHttp, hasHttp, httpKeys } from './http-schema.ts'
import { boolean, duration, httpUrl, labelMap, list, optional, secret, string } from './scalars.ts'

const target = z
  .string()
  .refine((text) => !text.includes('/'), { error: (issue) => `${JSON.stringify(issue.input)} is not a valid hostname` })
const targetGroup = z.strictObject({ targets: list(target), labels: labelMap })

const fileSd = z.lazy(() =>
  z.strictObject({
    files: z
      .array(
        z.string().refine((text) => /^[^*]*(\*[^/]*)?\.(json|yml|yaml)$/i.test(text), {
          error: (issue) => `path name ${JSON.stringify(issue.input)} is not valid for file discovery`,
        }),
      )
      .min(1, { error: 'file service discovery config must contain at least one path name' }),
    refresh_interval: optional(duration),
  }),
)

const httpSd = z.lazy(() =>
  z.strictObject({ url: httpUrl, refresh_interval: optional(duration), ...httpKeys }).superRefine(checkHttp),
)

const dnsSd = z.lazy(() =>
  z
    .strictObject({
      names: z.array(z.string()).min(1, { error: 'DNS-SD config must contain at least one record name' }),
      type: optional(
        z
          .string()
          .transform((text) => text.toUpperCase())
          .pipe(z.enum(['SRV', 'A', 'AAAA', 'MX', 'NS'], { error: 'invalid DNS-SD records type' })),
      ),
      port: optional(port),
      refresh_interval: optional(duration),
    })
    .refine((sd) => (sd.type ?? 'SRV') === 'SRV' || !!sd.port, {
      path: ['port'],
      error: 'a port is required in DNS-SD configs for all record types except SRV',
    }),
)

const dockerHost = z.string().refine((text) => /^unix:\/\/\/.+|^(https?|tcp):\/\/[^/]+/.test(text), {
  error: 'host must be a unix://, http://, https:// or tcp:// address',
})
const dockerKeys = {
  host: dockerHost,
  port: optional(port),
  filters,
  refresh_interval: optional(duration),
  ...httpKeys,
}
const dockerSd = z.lazy(() =>
  z
    .strictObject({
      ...dockerKeys,
      host_networking_host: optional(string),
      match_first_network: optional(boolean),
    })
    .superRefine(checkHttp),
)
const dockerSwarmSd = z.lazy(() =>
  z.strictObject({ ...dockerKeys, role: z.enum(['services', 'tasks', 'nodes']) }).superRefine(checkHttp),
)

const consulSd = z.lazy(() =>
  z
    .strictObject({
      server: optional(z.string().min(1, { error: 'consul SD configuration requires a server address' })),
      path_prefix: optional(string),
      token: optional(secret),
      datacenter: optional(string),
      namespace: optional(string),
      partition: optional(string),
      tag_separator: optional(string),
      scheme: optional(z.enum(['http', 'https'])),
      username: optional(string),
      password: optional(secret),
      services: list(string),
      tags: list(string),
      node_meta: optional(z.record(z.string(), z.string())),
      filter: optional(string),
      health_filter: optional(string),
      allow_stale: optional(boolean),
      refresh_interval: optional(duration),
      ...httpKeys,
    })
    .superRefine(checkHttp)
    .superRefine((sd, context) => {
      const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
      if ((sd.username ?? sd.password) !== undefined && sd.basic_auth) {
        fault(
          'basic_auth',
          'at most one of consul SD configuration username and password and basic auth can be configured',
        )
      }
      if (sd.token !== undefined && (sd.authorization ?? sd.oauth2) !== undefined) {
        fault('token', 'at most one of consul SD token, authorization, or oauth2 can be configured')
      }
    }),
)

const ROLES = ['node', 'service', 'pod', 'endpoints', 'endpointslice', 'ingress'] as const
type Role = (typeof ROLES)[number]

/** Whose objects a role may choose among. */
const SELECTOR_ROLES: Readonly<Record<Role, readonly Role[]>> = {
  node: ['node'],
  service: ['service'],
  ingress: ['ingress'],
  pod: ['pod', 'node'],
  endpoints: ['pod', 'service', 'endpoints'],
  endpointslice: ['pod', 'service', 'endpointslice'],
}

const fieldSelector = z
  .string()
  .refine((text) => text === '' || text.split(',').every((part) => /^[^=!]+(=|==|!=)[^=!]*$/.test(part.trim())), {
    error: 'invalid field selector',
  })
const kubernetesSd = z.lazy(() =>
  z
    .strictObject({
      role: z.enum(ROLES, { error: 'role must be one of: node, service, pod, endpoints, endpointslice, ingress' }),
      api_server: optional(string),
      kubeconfig_file: optional(string),
      namespaces: optional(z.strictObject({ own_namespace: optional(boolean), names: list(string) })),
      selectors: list(
        z.strictObject({ role: z.enum(ROLES), label: optional(labelSelector), field: optional(fieldSelector) }),
      ),
      attach_metadata: optional(
        z.strictObject({
          node: optional(boolean),
          namespace: optional(boolean),
          deployment: optional(boolean),
          job: optional(boolean),
          cronjob: optional(boolean),
        }),
      ),
      ...httpKeys,
    })
    .superRefine(checkHttp)
    .superRefine((sd, context) => {
      const fault = (path: PropertyKey[], message: string): void => context.addIssue({ code: 'custom', path, message })
      const hasServer = (sd.api_server ?? '') !== ''
      const hasFile = (sd.kubeconfig_file ?? '') !== ''
      const own = sd.namespaces?.own_namespace === true
      if (hasServer && hasFile)
        fault(['kubeconfig_file'], "cannot use 'kubeconfig_file' and 'api_server' simultaneously")
      if (hasFile && hasHttp(sd)) {
        fault(['kubeconfig_file'], "cannot use a custom HTTP client configuration together with 'kubeconfig_file'")
      }
      if (!hasServer && !hasFile && hasHttp(sd)) {
        fault([], "to use custom HTTP client configuration please provide the 'api_server' URL explicitly")
      }
      if (own && hasServer)
        fault(['namespaces'], "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously")
      if (own && hasFile) {
        fault(['namespaces'], "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously")
      }
      const seen = new Set<Role>()
      for (const [i, { role }] of sd.selectors.entries()) {
        if (seen.has(role)) fault(['selectors', i], `duplicated selector role: ${role}`)
        seen.add(role)
        if (!SELECTOR_ROLES[sd.role].includes(role)) {
          fault(
            ['selectors', i, 'role'],
            `${sd.role} role supports only ${SELECTOR_ROLES[sd.role].join(', ')} selectors`,
          )
        }
      }
    }),
)

const basics = { port: optional(port), refresh_interval: optional(duration), ...httpKeys }
const digitaloceanSd = z.lazy(() => z.strictObject(basics).superRefine(checkHttp))
const hetznerSd = z.lazy(() =>
  z
    .strictObject({
      role: z.enum(['hcloud', 'robot'], { error: 'role must be hcloud or robot' }),
      label_selector: optional(string),
      ...basics,
    })
    .superRefine(checkHttp),
)
const ionosSd = z.lazy(() =>
  z
    .strictObject({ datacenter_id: z.string().min(1, { error: "datacenter id can't be empty" }), ...basics })
    .superRefine(checkHttp),
)
const puppetdbSd = z.lazy(() =>
  z
    .strictObject({
      url: httpUrl,
      query: z.string().min(1, { error: 'query missing' }),
      include_parameters: optional(boolean),
      ...basics,
    })
    .superRefine(checkHttp),
)
const nomadSd = z.lazy(() =>
  z
    .strictObject({
      server: optional(z.string().min(1, { error: 'nomad SD configuration requires a server address' })),
      namespace: optional(string),
      region: optional(string),
      allow_stale: optional(boolean),
      tag_separator: optional(string),
      refresh_interval: optional(duration),
      ...httpKeys,
    })
    .superRefine(checkHttp),
)

export const discoveryKeys = {
  static_configs: list(targetGroup),
  file_sd_configs: list(fileSd),
  http_sd_configs: list(httpSd),
  dns_sd_configs: list(dnsSd),
  docker_sd_configs: list(dockerSd),
  dockerswarm_sd_configs: list(dockerSwarmSd),
  consul_sd_configs: list(consulSd),
  kubernetes_sd_configs: list(kubernetesSd),
  digitalocean_sd_configs: list(digitaloceanSd),
  hetzner_sd_configs: list(hetznerSd),
  ionos_sd_configs: list(ionosSd),
  nomad_sd_configs: list(nomadSd),
  puppetdb_sd_configs: list(puppetdbSd),
  ...cloudDiscoveryKeys,
}
const discoveryObject = z.strictObject(discoveryKeys)
export type DiscoveryFile = z.output<typeof discoveryObject>
