/** The `*_sd_configs` lists of clouds, registries and management servers. */
import { z } from 'zod'
import { filters, port } from './discovery-scalars.ts'
import { checkHttp, httpKeys, tlsConfig } from './http-schema.ts'
import { boolean, duration, httpUrl, list, optional, secret, string } from './scalars.ts'

/** A text that must be there, with what is said where it is not. */
const required = (error: string) => z.string({ error }).min(1, { error })

const basics = { port: optional(port), refresh_interval: optional(duration), ...httpKeys }

const awsKeys = {
  region: optional(string),
  endpoint: optional(string),
  access_key: optional(string),
  secret_key: optional(secret),
  profile: optional(string),
  role_arn: optional(string),
  external_id: optional(string),
  ...basics,
}
const ec2Sd = z.lazy(() => z.strictObject({ ...awsKeys, filters }).superRefine(checkHttp))
const lightsailSd = z.lazy(() => z.strictObject(awsKeys).superRefine(checkHttp))
const awsSd = z.lazy(() =>
  z
    .strictObject({
      role: z.enum(['ec2', 'ecs', 'elasticache', 'lightsail', 'msk', 'rds'], {
        error: (issue) => `unknown AWS SD role ${JSON.stringify(issue.input ?? '')}`,
      }),
      ...awsKeys,
      filters,
      clusters: list(string),
    })
    .superRefine(checkHttp),
)

const AZURE_METHODS = ['OAuth', 'ManagedIdentity', 'SDK', 'WorkloadIdentity'] as const
const azureSd = z.lazy(() =>
  z
    .strictObject({
      environment: optional(string),
      authentication_method: optional(
        z.enum(AZURE_METHODS, {
          error: (issue) =>
            `unknown authentication_type ${JSON.stringify(issue.input)}. Supported types are "OAuth", "ManagedIdentity", "SDK" or "WorkloadIdentity"`,
        }),
      ),
      subscription_id: required('azure SD configuration requires a subscription_id'),
      tenant_id: optional(string),
      client_id: optional(string),
      client_secret: optional(secret),
      resource_group: optional(string),
      ...basics,
    })
    .superRefine(checkHttp)
    .superRefine((sd, context) => {
      if ((sd.authentication_method ?? 'OAuth') !== 'OAuth') return
      for (const key of ['tenant_id', 'client_id', 'client_secret'] as const) {
        if (sd[key]) continue
        context.addIssue({ code: 'custom', path: [key], message: `azure SD configuration requires a ${key}` })
      }
    }),
)

const eurekaSd = z.lazy(() =>
  z
    .strictObject({
      server: z
        .string({ error: 'eureka_sd: empty or null eureka server' })
        .min(1, { error: 'eureka_sd: empty or null eureka server' })
        .refine((text) => /^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(text), {
          error: 'eureka_sd: invalid eureka server URL',
        }),
      refresh_interval: optional(duration),
      ...httpKeys,
    })
    .superRefine(checkHttp),
)

const gceSd = z.lazy(() =>
  z.strictObject({
    project: required('GCE SD configuration requires a project'),
    zone: required('GCE SD configuration requires a zone'),
    filter: optional(string),
    refresh_interval: optional(duration),
    port: optional(port),
    tag_separator: optional(string),
  }),
)

const KUMA_SERVER = 'kuma SD server must not be empty and have a scheme'
const kumaSd = z.lazy(() =>
  z
    .strictObject({
      server: z.string({ error: KUMA_SERVER }).refine((text) => URL.canParse(text) && /:\/\/[^/]/.test(text), {
        error: KUMA_SERVER,
      }),
      client_id: optional(string),
      refresh_interval: optional(duration),
      fetch_timeout: optional(duration),
      ...httpKeys,
    })
    .superRefine(checkHttp),
)

const linodeSd = z.lazy(() =>
  z.strictObject({ region: optional(string), tag_separator: optional(string), ...basics }).superRefine(checkHttp),
)

const MARATHON_SERVERS = 'marathon_sd: must contain at least one Marathon server'
const marathonSd = z.lazy(() =>
  z
    .strictObject({
      servers: z.array(z.string(), { error: MARATHON_SERVERS }).min(1, { error: MARATHON_SERVERS }),
      auth_token: optional(secret),
      auth_token_file: optional(string),
      refresh_interval: optional(duration),
      ...httpKeys,
    })
    .superRefine(checkHttp)
    .superRefine((sd, context) => {
      if ((sd.auth_token ?? sd.auth_token_file) === undefined) return
      const fault = (path: string, names: string): void =>
        context.addIssue({
          code: 'custom',
          path: [path],
          message: `marathon_sd: at most one of ${names} must be configured`,
        })
      if (sd.auth_token !== undefined && sd.auth_token_file !== undefined) {
        fault('auth_token_file', 'auth_token & auth_token_file')
      }
      if (sd.basic_auth) fault('basic_auth', 'basic_auth, auth_token & auth_token_file')
      if ((sd.bearer_token ?? sd.bearer_token_file) !== undefined) {
        fault('auth_token', 'bearer_token, bearer_token_file, auth_token & auth_token_file')
      }
      if (sd.authorization) fault('authorization', 'auth_token, auth_token_file & authorization')
    }),
)

const OCI_KEYS = ['tenancy', 'user', 'fingerprint', 'key_file'] as const
const ociSd = z.lazy(() =>
  z
    .strictObject({
      auth: optional(
        z.enum(['api_key', 'instance_principal'], {
          error: (issue) =>
            `oci_sd: unknown auth method ${JSON.stringify(issue.input)}, expected "api_key" or "instance_principal"`,
        }),
      ),
      tenancy: optional(string),
      user: optional(string),
      fingerprint: optional(string),
      key_file: optional(string),
      key_passphrase: optional(secret),
      key_passphrase_file: optional(string),
      region: required('oci_sd: region is required'),
      compartments: list(z.string().min(1, { error: 'oci_sd: compartments must not be empty' })),
      ...basics,
    })
    .superRefine(checkHttp)
    .superRefine((sd, context) => {
      const fault = (path: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [path], message: `oci_sd: ${message}` })
      if (sd.auth === 'instance_principal') {
        for (const key of [...OCI_KEYS, 'key_passphrase', 'key_passphrase_file'] as const) {
          if (sd[key]) fault(key, `instance_principal auth must not have ${key} set`)
        }
        return
      }
      for (const key of OCI_KEYS) if (!sd[key]) fault(key, `api_key auth requires ${key}`)
      if (sd.key_passphrase && sd.key_passphrase_file) {
        fault('key_passphrase_file', 'at most one of key_passphrase and key_passphrase_file must be configured')
      }
    }),
)

const openstackSd = z.lazy(() =>
  z.strictObject({
    role: z.enum(['hypervisor', 'instance', 'loadbalancer'], {
      error: (issue) =>
        issue.input === undefined || issue.input === null
          ? 'role missing (one of: instance, hypervisor, loadbalancer)'
          : `unknown OpenStack SD role ${JSON.stringify(issue.input)}`,
    }),
    region: required('openstack SD configuration requires a region'),
    identity_endpoint: optional(string),
    username: optional(string),
    userid: optional(string),
    password: optional(secret),
    domain_name: optional(string),
    domain_id: optional(string),
    project_name: optional(string),
    project_id: optional(string),
    application_credential_name: optional(string),
    application_credential_id: optional(string),
    application_credential_secret: optional(secret),
    all_tenants: optional(boolean),
    refresh_interval: optional(duration),
    port: optional(port),
    availability: optional(
      z.enum(['public', 'admin', 'internal'], {
        error: (issue) => `unknown availability ${String(issue.input)}, must be one of admin, internal or public`,
      }),
    ),
    tls_config: optional(tlsConfig),
  }),
)

/** One of a secret and the file that holds it, and not both. */
const ONE_SECRET = {
  none: 'one of secret_key & secret_key_file must be configured',
  both: 'at most one of secret_key & secret_key_file must be configured',
}
type SecretPair = { readonly secret_key: string | undefined; readonly secret_key_file: string | undefined }
type Faulty = { addIssue(issue: { code: 'custom'; path: PropertyKey[]; message: string }): void }
function checkSecret(sd: SecretPair, context: Faulty): void {
  if (!sd.secret_key === !sd.secret_key_file) {
    const message = sd.secret_key ? ONE_SECRET.both : ONE_SECRET.none
    context.addIssue({ code: 'custom', path: ['secret_key'], message })
  }
}

const OUTSCALE_REGION = 'outscale SD configuration requires a region'
const outscaleSd = z.lazy(() =>
  z
    .strictObject({
      region: optional(z.string().min(1, { error: OUTSCALE_REGION })),
      access_key: required('outscale SD configuration requires access_key'),
      secret_key: optional(secret),
      secret_key_file: optional(string),
      endpoint: optional(string),
      ...basics,
    })
    .superRefine(checkHttp)
    .superRefine(checkSecret),
)

const ovhcloudSd = z.lazy(() =>
  z.strictObject({
    application_key: required('application key can not be empty'),
    application_secret: required('application secret can not be empty'),
    consumer_key: required('consumer key can not be empty'),
    service: z.enum(['vps', 'dedicated_server'], { error: (issue) => `unknown service: ${String(issue.input)}` }),
    endpoint: optional(required('endpoint can not be empty')),
    refresh_interval: optional(duration),
  }),
)

const scalewaySd = z.lazy(() =>
  z
    .strictObject({
      access_key: required('access_key is mandatory'),
      secret_key: optional(secret),
      secret_key_file: optional(string),
      project_id: required('project_id is mandatory'),
      role: z.enum(['instance', 'baremetal'], {
        error: (issue) =>
          issue.input === undefined || issue.input === null
            ? 'role missing (one of: instance, baremetal)'
            : `unknown role ${JSON.stringify(issue.input)}`,
      }),
      api_url: optional(httpUrl),
      zone: optional(string),
      name_filter: optional(string),
      tags_filter: list(string),
      ...basics,
    })
    .superRefine(checkHttp)
    .superRefine(checkSecret),
)

const stackitSd = z.lazy(() =>
  z
    .strictObject({
      project: optional(string),
      region: optional(string),
      endpoint: optional(z.string().refine((text) => text === '' || URL.canParse(text), { error: 'invalid endpoint' })),
      private_key: optional(secret),
      private_key_path: optional(string),
      service_account_key: optional(secret),
      service_account_key_path: optional(string),
      credentials_file_path: optional(string),
      ...basics,
    })
    .superRefine(checkHttp),
)

const tritonSd = z.lazy(() =>
  z.strictObject({
    account: required('triton SD configuration requires an account'),
    role: optional(
      z.enum(['container', 'cn'], { error: "triton SD configuration requires role to be 'container' or 'cn'" }),
    ),
    dns_suffix: required('triton SD configuration requires a dns_suffix'),
    endpoint: required('triton SD configuration requires an endpoint'),
    groups: list(string),
    port: optional(port),
    refresh_interval: optional(
      duration.refine((valueMs) => valueMs > 0, {
        error: 'triton SD configuration requires RefreshInterval to be a positive integer',
      }),
    ),
    version: optional(z.number().int()),
    tls_config: optional(tlsConfig),
  }),
)

const uyuniSd = z.lazy(() =>
  z
    .strictObject({
      server: required('Uyuni SD configuration requires server host').refine((text) => URL.canParse(text), {
        error: 'Uyuni Server URL is not valid',
      }),
      username: required('Uyuni SD configuration requires a username'),
      password: required('Uyuni SD configuration requires a password'),
      entitlement: optional(string),
      separator: optional(string),
      refresh_interval: optional(duration),
      ...httpKeys,
    })
    .superRefine(checkHttp),
)

const vultrSd = z.lazy(() => z.strictObject(basics).superRefine(checkHttp))

const zookeeperSd = (kind: 'serverset' | 'nerve') => {
  const servers = `${kind} SD config must contain at least one Zookeeper server`
  const paths = `${kind} SD config must contain at least one path`
  return z.lazy(() =>
    z.strictObject({
      servers: z.array(z.string(), { error: servers }).min(1, { error: servers }),
      paths: z
        .array(
          z.string().refine((path) => path.startsWith('/'), {
            error: (issue) => `${kind} SD config paths must begin with '/': ${String(issue.input)}`,
          }),
          { error: paths },
        )
        .min(1, { error: paths }),
      timeout: optional(duration),
    }),
  )
}

export const cloudDiscoveryKeys = {
  aws_sd_configs: list(awsSd),
  azure_sd_configs: list(azureSd),
  ec2_sd_configs: list(ec2Sd),
  eureka_sd_configs: list(eurekaSd),
  gce_sd_configs: list(gceSd),
  kuma_sd_configs: list(kumaSd),
  lightsail_sd_configs: list(lightsailSd),
  linode_sd_configs: list(linodeSd),
  marathon_sd_configs: list(marathonSd),
  nerve_sd_configs: list(zookeeperSd('nerve')),
  oci_sd_configs: list(ociSd),
  openstack_sd_configs: list(openstackSd),
  outscale_sd_configs: list(outscaleSd),
  ovhcloud_sd_configs: list(ovhcloudSd),
  scaleway_sd_configs: list(scalewaySd),
  serverset_sd_configs: list(zookeeperSd('serverset')),
  stackit_sd_configs: list(stackitSd),
  triton_sd_configs: list(tritonSd),
  uyuni_sd_configs: list(uyuniSd),
  vultr_sd_configs: list(vultrSd),
}
const cloudDiscoveryObject = z.strictObject(cloudDiscoveryKeys)
export type CloudDiscoveryFile = z.output<typeof cloudDiscoveryObject>
