/** `http_config` as it stands inline in scrape jobs, discoveries and remote ends, with what is wrong across its keys. */
import { z } from 'zod'
import { CONNECTION_HEADERS } from '../../lib/connection-headers.ts'
import { boolean, httpUrl, list, optional, secret, string } from './scalars.ts'

const tlsVersion = z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13'])
export const tlsConfig = z.strictObject({
  ca: optional(string),
  ca_file: optional(string),
  cert: optional(string),
  cert_file: optional(string),
  key: optional(secret),
  key_file: optional(string),
  server_name: optional(string),
  insecure_skip_verify: optional(boolean),
  min_version: optional(tlsVersion),
  max_version: optional(tlsVersion),
})
export type TlsFile = z.output<typeof tlsConfig>

const proxyKeys = {
  proxy_url: optional(string),
  no_proxy: optional(string),
  proxy_from_environment: optional(boolean),
  proxy_connect_header: optional(z.record(z.string(), list(secret))),
} as const

const oauth2 = z.strictObject({
  client_id: z.string().min(1, { error: 'oauth2 client_id must be configured' }),
  client_secret: optional(secret),
  client_secret_file: optional(string),
  grant_type: optional(z.enum(['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'])),
  client_certificate_key: optional(secret),
  client_certificate_key_file: optional(string),
  client_certificate_key_id: optional(string),
  signature_algorithm: optional(z.enum(['RS256', 'RS384', 'RS512'])),
  iss: optional(string),
  audience: optional(string),
  claims: optional(z.record(z.string(), z.unknown())),
  scopes: list(string),
  token_url: httpUrl,
  endpoint_params: optional(z.record(z.string(), z.string())),
  tls_config: optional(tlsConfig),
  ...proxyKeys,
})

/** Spread these into an object that has an `http_config` inline, and refine it with `checkHttp`. */
export const httpKeys = {
  basic_auth: optional(
    z.strictObject({
      username: optional(string),
      username_file: optional(string),
      password: optional(secret),
      password_file: optional(string),
    }),
  ),
  authorization: optional(
    z.strictObject({
      type: optional(string),
      credentials: optional(secret),
      credentials_file: optional(string),
    }),
  ),
  bearer_token: optional(secret),
  bearer_token_file: optional(string),
  oauth2: optional(oauth2),
  tls_config: optional(tlsConfig),
  follow_redirects: optional(boolean),
  enable_http2: optional(boolean),
  ...proxyKeys,
  http_headers: optional(
    z.record(z.string(), z.strictObject({ values: list(string), secrets: list(secret), files: list(string) })),
  ),
} as const
const httpConfigObject = z.strictObject(httpKeys)
export type HttpConfigFile = z.output<typeof httpConfigObject>

/** Whether any key of it is set. */
export const hasHttp = (file: HttpConfigFile): boolean =>
  Object.keys(httpKeys).some((key) => file[key as keyof HttpConfigFile] !== undefined)

type Fault = (why: string, ...path: string[]) => void
type Faulty = { addIssue(issue: { code: 'custom'; path: PropertyKey[]; message: string }): void }

/** What only shows across the keys. For `superRefine`. */
export function checkHttp(file: HttpConfigFile, context: Faulty): void {
  const fault: Fault = (why, ...path) => context.addIssue({ code: 'custom', path, message: why })
  checkAuthentication(file, fault)
  if (file.oauth2) checkOAuth2(file.oauth2, fault)
  checkTls(file.tls_config, fault, 'tls_config')
  checkProxy(file, fault)
  for (const name of Object.keys(file.http_headers ?? {})) {
    if (RESERVED_HEADERS.has(name.toLowerCase())) {
      fault(`setting header ${JSON.stringify(name)} is not allowed`, 'http_headers', name)
    }
  }
}

// Set by the request itself or by keys of their own.
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  ...CONNECTION_HEADERS,
  'authorization',
  'x-prometheus-scrape-timeout-seconds',
])

function checkAuthentication(file: HttpConfigFile, fault: Fault): void {
  const { basic_auth: basic, authorization, oauth2: tokens } = file
  const bearer = file.bearer_token ?? file.bearer_token_file
  const exclusive = (a: unknown, b: unknown, names: string, ...path: string[]): void => {
    if (a !== undefined && b !== undefined) fault(`at most one of ${names} must be configured`, ...path)
  }
  exclusive(file.bearer_token, file.bearer_token_file, 'bearer_token & bearer_token_file', 'bearer_token_file')
  if ([basic, authorization, tokens, bearer].filter((way) => way !== undefined).length > 1) {
    fault(
      'at most one of basic_auth, oauth2, authorization & bearer_token must be configured',
      authorization ? 'authorization' : tokens ? 'oauth2' : 'bearer_token',
    )
  }
  exclusive(basic?.username, basic?.username_file, 'basic_auth username & username_file', 'basic_auth')
  exclusive(basic?.password, basic?.password_file, 'basic_auth password & password_file', 'basic_auth')
  const names = 'authorization credentials & credentials_file'
  exclusive(authorization?.credentials, authorization?.credentials_file, names, 'authorization')
  if (authorization?.type?.trim().toLowerCase() === 'basic') {
    fault('authorization type cannot be set to "basic", use "basic_auth" instead', 'authorization', 'type')
  }
}

function checkOAuth2(file: z.output<typeof oauth2>, fault: Fault): void {
  const isJwt = file.grant_type !== undefined && file.grant_type !== 'client_credentials'
  if (isJwt && (file.client_certificate_key ?? file.client_certificate_key_file) === undefined) {
    fault('oauth2 client_certificate_key or client_certificate_key_file must be configured', 'oauth2')
  }
  if (!isJwt && (file.client_secret ?? file.client_secret_file) === undefined) {
    fault('either oauth2 client_secret or client_secret_file must be configured', 'oauth2')
  }
  if (file.client_secret !== undefined && file.client_secret_file !== undefined) {
    fault('at most one of oauth2 client_secret & client_secret_file must be configured', 'oauth2')
  }
  checkTls(file.tls_config, fault, 'oauth2', 'tls_config')
}

function checkTls(tls: TlsFile | undefined, fault: Fault, ...path: string[]): void {
  if (!tls) return
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = `${name}_file` as const
    if (tls[name] !== undefined && tls[file] !== undefined) {
      fault(`at most one of ${name} and ${file} must be configured`, ...path)
    }
  }
  const hasCert = (tls.cert ?? tls.cert_file) !== undefined
  const hasKey = (tls.key ?? tls.key_file) !== undefined
  if (hasCert !== hasKey) fault('exactly one of cert or key is configured: a client certificate needs both', ...path)
  if (tls.min_version && tls.max_version && tls.min_version > tls.max_version) {
    fault('tls_config.max_version must be greater than or equal to tls_config.min_version', ...path)
  }
}

function checkProxy(file: HttpConfigFile, fault: Fault): void {
  if (file.proxy_url !== undefined && file.proxy_from_environment) {
    fault('if proxy_from_environment is configured, proxy_url must not be configured', 'proxy_url')
  }
  if (file.no_proxy !== undefined && file.proxy_from_environment) {
    fault('if proxy_from_environment is configured, no_proxy must not be configured', 'no_proxy')
  }
  if (file.no_proxy !== undefined && file.proxy_url === undefined && !file.proxy_from_environment) {
    fault('if no_proxy is configured, proxy_url must also be configured', 'no_proxy')
  }
  if (file.proxy_connect_header && file.proxy_url === undefined && !file.proxy_from_environment) {
    fault('if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured')
  }
}
