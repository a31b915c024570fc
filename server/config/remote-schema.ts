/** `remote_write` and `remote_read` of the configuration file, with what is wrong across their keys. */
import { z } from 'zod'
import { CONNECTION_HEADERS } from '../../lib/connection-headers.ts'
import { checkHttp, httpKeys } from './http-schema.ts'
import { relabelConfig } from './relabel-schema.ts'
import { boolean, count, duration, labelMap, list, optional, secret, string } from './scalars.ts'

const MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const

// Set by the sender itself, or added by signing.
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  ...CONNECTION_HEADERS,
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
])

/** A header as text, checked against those that the sender sets. @param authorization why that one is refused */
export function headersOf(authorization: string) {
  return labelMap.superRefine((headers, context) => {
    for (const name of Object.keys(headers)) {
      const lower = name.toLowerCase()
      const why =
        lower === 'authorization'
          ? authorization
          : RESERVED_HEADERS.has(lower)
            ? `${name} is a reserved header. It must not be changed`
            : undefined
      if (why !== undefined) context.addIssue({ code: 'custom', path: [name], message: why })
    }
  })
}

/** Whatever parses as a URL in Go: `localhost:9090` does. */
const urlOf = (section: string) => {
  const missing = `url for ${section} is empty`
  return z
    .string({ error: missing })
    .min(1, { error: missing })
    .refine((text) => URL.canParse(text) || URL.canParse(text, 'http://relative.invalid'), { error: 'invalid URL' })
}

export const sigv4 = z
  .strictObject({
    region: optional(string),
    access_key: optional(string),
    secret_key: optional(secret),
    profile: optional(string),
    role_arn: optional(string),
    external_id: optional(string),
    use_fips_sts_endpoint: optional(boolean),
    service_name: optional(string),
  })
  .refine((keys) => (keys.access_key === undefined) === (keys.secret_key === undefined), {
    error: 'must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config',
  })
  .refine((keys) => keys.external_id === undefined || keys.role_arn !== undefined, {
    path: ['external_id'],
    error: 'external_id can only be used with role_arn',
  })
export type Sigv4File = z.output<typeof sigv4>

const uuid = (what: string) =>
  z
    .string({ error: `must provide an ${what}` })
    .refine((text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text), {
      error: `the provided ${what} is invalid`,
    })
const tenantId = z
  .string({ error: 'must provide a tenant_id' })
  .refine((text) => /^[0-9a-zA-Z.-]+$/.test(text), { error: 'the provided tenant_id is invalid' })

const AZURE_WAYS = ['managed_identity', 'workload_identity', 'oauth', 'certificate', 'sdk'] as const

const azuread = z
  .strictObject({
    cloud: optional(
      z.enum(['AzurePublic', 'AzureChina', 'AzureGovernment'], {
        error: 'must provide a cloud in the Azure AD config: AzurePublic, AzureChina or AzureGovernment',
      }),
    ),
    managed_identity: optional(
      z.strictObject({ client_id: optional(z.union([z.literal(''), uuid('Azure Managed Identity client_id')])) }),
    ),
    workload_identity: optional(
      z.strictObject({
        client_id: uuid('Azure Workload Identity client_id'),
        tenant_id: tenantId,
        token_file_path: optional(string),
      }),
    ),
    oauth: optional(
      z.strictObject({
        client_id: uuid('Azure OAuth client_id'),
        client_secret: secret.min(1, { error: 'must provide an Azure OAuth client_secret' }),
        tenant_id: tenantId,
      }),
    ),
    certificate: optional(
      z.strictObject({
        client_id: uuid('Azure certificate client_id'),
        tenant_id: tenantId,
        certificate_path: z.string().min(1, { error: 'must provide a certificate_path' }),
        certificate_key_path: optional(string),
        certificate_password: optional(secret),
        send_certificate_chain: optional(boolean),
      }),
    ),
    sdk: optional(z.strictObject({ tenant_id: optional(tenantId) })),
    scope: optional(string),
  })
  .superRefine((file, context) => {
    const ways = AZURE_WAYS.filter((way) => file[way] !== undefined)
    if (ways.length === 1) return
    const message =
      ways.length === 0
        ? `must provide an Azure AD way to authenticate: one of ${AZURE_WAYS.join(', ')}`
        : `cannot provide both ${ways[0]} and ${ways[1]} in the Azure AD config`
    context.addIssue({ code: 'custom', message })
  })
export type AzureAdFile = z.output<typeof azuread>

const queueConfig = z
  .strictObject({
    capacity: optional(z.number().int().positive({ error: 'remote write queue capacity must be positive' })),
    max_shards: optional(z.number().int().positive({ error: 'remote write queue max_shards must be positive' })),
    min_shards: optional(z.number().int().positive({ error: 'remote write queue min_shards must be positive' })),
    max_samples_per_send: optional(
      z.number().int().positive({ error: 'remote write queue max_samples_per_send must be positive' }),
    ),
    batch_send_deadline: optional(duration),
    min_backoff: optional(duration),
    max_backoff: optional(duration),
    retry_on_http_429: optional(boolean),
    sample_age_limit: optional(duration),
  })
  .superRefine((queue, context) => {
    const { minShards, maxShards, minBackoffMs, maxBackoffMs } = QUEUE_DEFAULTS
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if ((queue.min_shards ?? minShards) > (queue.max_shards ?? maxShards)) {
      fault('min_shards', 'remote write queue min_shards must not be greater than max_shards')
    }
    if ((queue.max_backoff ?? maxBackoffMs) < (queue.min_backoff ?? minBackoffMs)) {
      fault('max_backoff', 'remote write queue max_backoff must not be less than min_backoff')
    }
  })

export const QUEUE_DEFAULTS = { minShards: 1, maxShards: 50, minBackoffMs: 30, maxBackoffMs: 5000 } as const

export const remoteWrite = z
  .strictObject(
    {
      url: urlOf('remote_write'),
      protobuf_message: optional(
        z.enum(MESSAGES, {
          error: (issue) =>
            `invalid protobuf_message value: unknown type for remote write protobuf message ${String(issue.input)}, supported: ${MESSAGES.join(', ')}`,
        }),
      ),
      remote_timeout: optional(duration),
      headers: headersOf(
        'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter',
      ),
      write_relabel_configs: list(relabelConfig),
      name: optional(string),
      send_exemplars: optional(boolean),
      send_native_histograms: optional(boolean),
      round_robin_dns: optional(boolean),
      sigv4: optional(sigv4),
      azuread: optional(azuread),
      google_iam: optional(
        z.strictObject({ credentials_file: z.string({ error: 'credentials_file cannot be empty' }).min(1) }),
      ),
      queue_config: optional(queueConfig),
      metadata_config: optional(
        z.strictObject({
          send: optional(boolean),
          send_interval: optional(duration),
          max_samples_per_send: optional(count),
        }),
      ),
      ...httpKeys,
    },
    nullSection('remote write'),
  )
  .superRefine(checkHttp)
  .superRefine((file, context) => {
    const { basic_auth, authorization, oauth2, sigv4: aws, azuread: azure, google_iam: google } = file
    const ways = Object.entries({ basic_auth, authorization, oauth2, sigv4: aws, azuread: azure, google_iam: google })
      .filter(([, way]) => way !== undefined)
      .map(([name]) => name)
    if (ways.length > 1 && [aws, azure, google].some((way) => way !== undefined)) {
      const message = `at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. Currently configured: ${ways.join(', ')}`
      context.addIssue({ code: 'custom', path: [ways.at(-1)!], message })
    }
  })
export type RemoteWriteFile = z.output<typeof remoteWrite>

export const remoteRead = z
  .strictObject(
    {
      url: urlOf('remote_read'),
      name: optional(string),
      required_matchers: labelMap,
      remote_timeout: optional(duration),
      headers: headersOf('custom authorization header configuration is not yet supported'),
      read_recent: optional(boolean),
      filter_external_labels: optional(boolean),
      ...httpKeys,
    },
    nullSection('remote read'),
  )
  .superRefine(checkHttp)
export type RemoteReadFile = z.output<typeof remoteRead>

/** A list of remote ends: the names they are given are their own. */
export function remoteList<T extends z.ZodType<{ readonly name?: string | undefined }>>(section: string, item: T) {
  return list(item).superRefine((ends, context) => {
    const seen = new Set<string>()
    for (const [i, { name }] of ends.entries()) {
      if (name === undefined || name === '') continue
      if (seen.has(name)) {
        const message = `found multiple ${section} configs with job name ${JSON.stringify(name)}`
        context.addIssue({ code: 'custom', path: [i, 'name'], message })
      }
      seen.add(name)
    }
  })
}

function nullSection(section: string) {
  return {
    error: (issue: { readonly input?: unknown; readonly code?: string }) =>
      issue.code === 'invalid_type' && issue.input === null ? `empty or null ${section} config section` : undefined,
  }
}
