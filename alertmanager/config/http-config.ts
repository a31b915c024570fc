import { z } from 'zod'
import type { HttpClientConfig } from '../../lib/index.ts'
import { flag, text, textMap, url } from './scalars.ts'

export const tlsSchema = z.strictObject({
  ca: text.optional(),
  ca_file: text.optional(),
  cert: text.optional(),
  cert_file: text.optional(),
  key: text.optional(),
  key_file: text.optional(),
  server_name: text.optional(),
  insecure_skip_verify: flag.optional(),
  min_version: z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).optional(),
  max_version: z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).optional(),
})
export type TlsYaml = z.infer<typeof tlsSchema>

const proxyKeys = {
  proxy_url: text.optional(),
  no_proxy: text.optional(),
  proxy_from_environment: flag.optional(),
  proxy_connect_header: z.record(z.string(), z.array(text)).optional(),
}

export const httpConfigSchema = z.strictObject({
  basic_auth: z
    .strictObject({
      username: text.optional(),
      username_file: text.optional(),
      password: text.optional(),
      password_file: text.optional(),
    })
    .optional(),
  authorization: z
    .strictObject({ type: text.optional(), credentials: text.optional(), credentials_file: text.optional() })
    .optional(),
  bearer_token: text.optional(),
  bearer_token_file: text.optional(),
  oauth2: z
    .strictObject({
      client_id: text,
      client_secret: text.optional(),
      client_secret_file: text.optional(),
      scopes: z.array(text).optional(),
      token_url: url,
      endpoint_params: textMap.optional(),
      tls_config: tlsSchema.optional(),
      ...proxyKeys,
    })
    .optional(),
  tls_config: tlsSchema.optional(),
  follow_redirects: flag.optional(),
  enable_http2: flag.optional(),
  http_headers: z
    .record(
      z.string(),
      z.strictObject({
        values: z.array(text).optional(),
        secrets: z.array(text).optional(),
        files: z.array(text).optional(),
      }),
    )
    .optional(),
  ...proxyKeys,
})
export type HttpConfigYaml = z.infer<typeof httpConfigSchema>

/** What is wrong with it beyond its keys, and what this version cannot do yet: [path, why]. */
export function httpConfigFaults(config: HttpConfigYaml): [path: string[], why: string][] {
  const faults: [string[], string][] = []
  const { basic_auth: basic, authorization, oauth2 } = config
  const bearer = config.bearer_token !== undefined || config.bearer_token_file !== undefined
  if ([basic, authorization, oauth2, bearer || undefined].filter((way) => way !== undefined).length > 1)
    faults.push([[], 'at most one of basic_auth, authorization, oauth2 and bearer_token may be configured'])
  if (authorization?.type?.toLowerCase() === 'basic')
    faults.push([['authorization', 'type'], 'use basic_auth for the type "Basic"'])
  for (const [key, value] of Object.entries({ oauth2, no_proxy: config.no_proxy })) {
    if (value !== undefined) faults.push([[key], 'not available yet'])
  }
  if (config.proxy_from_environment) faults.push([['proxy_from_environment'], 'not available yet'])
  if (config.proxy_connect_header) faults.push([['proxy_connect_header'], 'not available yet'])
  if (basic?.username_file !== undefined) faults.push([['basic_auth', 'username_file'], 'not available yet'])
  for (const [name, header] of Object.entries(config.http_headers ?? {})) {
    if (header.files) faults.push([['http_headers', name, 'files'], 'not available yet'])
  }
  return faults
}

/** @param resolvePath makes a file path of the configuration absolute */
export function toHttpClientConfig(config: HttpConfigYaml, resolvePath: (path: string) => string): HttpClientConfig {
  const file = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolvePath(path))
  const credentials = config.authorization?.credentials ?? config.bearer_token
  const credentialsFile = file(config.authorization?.credentials_file ?? config.bearer_token_file)
  const headers = Object.entries(config.http_headers ?? {}).map(([name, header]) => [
    name,
    [...(header.values ?? []), ...(header.secrets ?? [])].join(', '),
  ])
  return {
    ...(config.basic_auth && {
      basicAuth: {
        username: config.basic_auth.username ?? '',
        ...given('password', config.basic_auth.password),
        ...given('passwordFile', file(config.basic_auth.password_file)),
      },
    }),
    ...((credentials !== undefined || credentialsFile !== undefined) && {
      authorization: {
        type: config.authorization?.type ?? 'Bearer',
        ...given('credentials', credentials),
        ...given('credentialsFile', credentialsFile),
      },
    }),
    ...(config.tls_config && { tls: toTls(config.tls_config, file) }),
    ...given('proxyUrl', config.proxy_url),
    ...given('followRedirects', config.follow_redirects),
    ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
  }
}

function toTls(
  tls: TlsYaml,
  file: (path: string | undefined) => string | undefined,
): NonNullable<HttpClientConfig['tls']> {
  return {
    ...given('ca', tls.ca),
    ...given('caFile', file(tls.ca_file)),
    ...given('cert', tls.cert),
    ...given('certFile', file(tls.cert_file)),
    ...given('key', tls.key),
    ...given('keyFile', file(tls.key_file)),
    ...given('serverName', tls.server_name),
    ...given('insecureSkipVerify', tls.insecure_skip_verify),
  }
}

/** `{ [key]: value }`, or nothing where there is no value. */
function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}
