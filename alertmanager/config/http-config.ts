import { z } from 'zod'
import type { HttpClientConfig, OAuth2Config, TlsClientConfig } from '../../lib/index.ts'
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

export const oauth2Schema = z.strictObject({
  client_id: text,
  client_secret: text.optional(),
  client_secret_file: text.optional(),
  scopes: z.array(text).optional(),
  token_url: url,
  endpoint_params: textMap.optional(),
  tls_config: tlsSchema.optional(),
  ...proxyKeys,
})
export type OAuth2Yaml = z.infer<typeof oauth2Schema>

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
  oauth2: oauth2Schema.optional(),
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

/** What is wrong with it beyond its keys: [path, why]. */
export function httpConfigFaults(config: HttpConfigYaml): [path: string[], why: string][] {
  const faults: [string[], string][] = []
  const { basic_auth: basic, authorization, oauth2 } = config
  const bearer = config.bearer_token !== undefined || config.bearer_token_file !== undefined
  if ([basic, authorization, oauth2, bearer || undefined].filter((way) => way !== undefined).length > 1)
    faults.push([[], 'at most one of basic_auth, authorization, oauth2 and bearer_token may be configured'])
  if (authorization?.type?.toLowerCase() === 'basic')
    faults.push([['authorization', 'type'], 'use basic_auth for the type "Basic"'])
  faults.push(...pairFaults(basic ?? {}, ['basic_auth']), ...pairFaults(authorization ?? {}, ['authorization']))
  faults.push(...pairFaults(oauth2 ?? {}, ['oauth2']), ...pairFaults(config, []), ...proxyFaults(config, []))
  if (oauth2) faults.push(...proxyFaults(oauth2, ['oauth2']))
  return faults
}

/** `x` beside `x_file`. */
const pairFaults = (section: object, path: string[]): [string[], string][] =>
  Object.keys(section)
    .filter((name) => `${name}_file` in section)
    .map((name) => [[...path, `${name}_file`], `at most one of ${name} & ${name}_file must be configured`])

function proxyFaults(config: ProxyYaml, path: string[]): [string[], string][] {
  const { proxy_url, no_proxy, proxy_from_environment, proxy_connect_header } = config
  if (proxy_from_environment && (proxy_url || no_proxy))
    return [[[...path, 'proxy_from_environment'], 'cannot be used beside proxy_url and no_proxy']]
  if (no_proxy && !proxy_url) return [[[...path, 'no_proxy'], 'has no meaning without proxy_url']]
  if (proxy_connect_header && !proxy_url && !proxy_from_environment)
    return [[[...path, 'proxy_connect_header'], 'has no meaning without a proxy']]
  return []
}

type ProxyYaml = Pick<HttpConfigYaml, 'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header'>
type PathResolver = (path: string | undefined) => string | undefined

/** @param resolvePath makes a file path of the configuration absolute */
export function toHttpClientConfig(config: HttpConfigYaml, resolvePath: (path: string) => string): HttpClientConfig {
  const file: PathResolver = (path) => (path === undefined || path === '' ? undefined : resolvePath(path))
  const { basic_auth: basic, authorization, oauth2, http_headers = {} } = config
  const credentials = authorization?.credentials ?? config.bearer_token
  const credentialsFile = file(authorization?.credentials_file ?? config.bearer_token_file)
  const headers = Object.entries(http_headers)
    .map(([name, header]) => [name, [...(header.values ?? []), ...(header.secrets ?? [])]] as const)
    .filter(([, values]) => values.length > 0)
  const headerFiles = Object.entries(http_headers).filter(([, header]) => header.files?.length)
  return {
    ...(basic && {
      basicAuth: {
        username: basic.username ?? '',
        ...given('usernameFile', file(basic.username_file)),
        ...given('password', basic.password),
        ...given('passwordFile', file(basic.password_file)),
      },
    }),
    ...((credentials !== undefined || credentialsFile !== undefined) && {
      authorization: {
        type: authorization?.type ?? 'Bearer',
        ...given('credentials', credentials),
        ...given('credentialsFile', credentialsFile),
      },
    }),
    ...(oauth2 && { oauth2: toOAuth2(oauth2, file) }),
    ...(config.tls_config && { tls: toTls(config.tls_config, file) }),
    ...toProxy(config),
    ...given('followRedirects', config.follow_redirects),
    ...(headers.length > 0 && {
      headers: Object.fromEntries(headers.map(([name, values]) => [name, values.join(', ')])),
    }),
    ...(headerFiles.length > 0 && {
      headerFiles: Object.fromEntries(
        headerFiles.map(([name, header]) => [name, (header.files ?? []).map((path) => resolvePath(path))]),
      ),
    }),
  }
}

export const toOAuth2 = (oauth2: OAuth2Yaml, file: PathResolver): OAuth2Config => ({
  clientId: oauth2.client_id,
  ...given('clientSecret', oauth2.client_secret),
  ...given('clientSecretFile', file(oauth2.client_secret_file)),
  tokenUrl: oauth2.token_url,
  ...given('scopes', oauth2.scopes),
  ...given('endpointParams', oauth2.endpoint_params),
  http: { ...(oauth2.tls_config && { tls: toTls(oauth2.tls_config, file) }), ...toProxy(oauth2) },
})

const toProxy = (config: ProxyYaml) => ({
  ...given('proxyUrl', config.proxy_url || undefined),
  ...given('noProxy', config.no_proxy),
  ...given('proxyFromEnvironment', config.proxy_from_environment),
  ...given(
    'proxyConnectHeaders',
    config.proxy_connect_header &&
      Object.fromEntries(
        Object.entries(config.proxy_connect_header).map(([name, values]) => [name, values.join(', ')]),
      ),
  ),
})

const TLS_VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const

const toTls = (tls: TlsYaml, file: PathResolver): TlsClientConfig => ({
  ...given('ca', tls.ca),
  ...given('caFile', file(tls.ca_file)),
  ...given('cert', tls.cert),
  ...given('certFile', file(tls.cert_file)),
  ...given('key', tls.key),
  ...given('keyFile', file(tls.key_file)),
  ...given('serverName', tls.server_name),
  ...given('insecureSkipVerify', tls.insecure_skip_verify),
  ...given('minVersion', tls.min_version && TLS_VERSIONS[tls.min_version]),
  ...given('maxVersion', tls.max_version && TLS_VERSIONS[tls.max_version]),
})

/** `{ [key]: value }`, or nothing where there is no value. */
function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}
