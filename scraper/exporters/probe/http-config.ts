/** The keys of an HTTP module, and what is wrong across them. */
import { z } from 'zod'
import { CONNECTION_HEADERS } from '../../../lib/connection-headers.ts'
import { ipKeys, list, notYet, regex, tlsConfig } from './config-keys.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** Bytes; 0 = no limit. Both `KB` and `KiB` are 1024 bytes, as the original has it. */
const size = () =>
  z
    .union([z.literal(0), z.string().regex(/^(0|\d+([KMGT]i?)?B)$/, { error: 'not a size such as 10MB' })])
    .transform((written) => {
      const [, digits = '0', unit = ''] = /^(\d+)([KMGT]?)/.exec(String(written)) ?? []
      return Number(digits) * UNITS[unit]!
    })

const headerMatch = () =>
  z.strictObject({
    header: z.string(),
    regexp: regex,
    allow_missing: z.boolean().default(false),
  })

const proxyKeys = () => ({
  proxy_url: z
    .string()
    .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), { error: 'not an http or https URL' })
    .optional(),
  no_proxy: z.string().optional(),
  proxy_from_environment: z.boolean().default(false),
  proxy_connect_header: z.record(z.string(), z.array(z.string())).optional(),
})
export type ProxyOptions = z.output<z.ZodObject<ReturnType<typeof proxyKeys>>>

const oauth2 = () =>
  z
    .strictObject({
      client_id: z.string().min(1, { error: 'oauth2 client_id must be configured' }),
      client_secret: z.string().optional(),
      client_secret_file: z.string().optional(),
      scopes: list(z.string()),
      token_url: z.string().refine((text) => URL.canParse(text), { error: 'not a URL' }),
      endpoint_params: z.record(z.string(), z.string()).default({}),
      tls_config: tlsConfig().optional(),
      ...proxyKeys(),
    })
    .superRefine((file, context) => {
      const fault = faultsOf(context)
      const secrets = [file.client_secret, file.client_secret_file].filter((secret) => secret !== undefined)
      if (secrets.length === 0) fault('either oauth2 client_secret or client_secret_file must be configured')
      if (secrets.length > 1) fault('at most one of oauth2 client_secret & client_secret_file must be configured')
      checkProxy(file, fault)
    })
export type ProbeOAuth2 = z.output<ReturnType<typeof oauth2>>

export const http = () =>
  z
    .strictObject({
      ...ipKeys(),
      valid_status_codes: list(z.number().int()),
      valid_http_versions: list(z.string()),
      method: z.string().default('GET'),
      headers: z.record(z.string(), z.string()).default({}),
      http_headers: z
        .record(
          z.string(),
          z.strictObject({ values: list(z.string()), secrets: list(z.string()), files: list(z.string()) }),
        )
        .default({}),
      body: z.string().optional(),
      body_file: z.string().optional(),
      body_size_limit: size().default(0),
      compression: z.enum(['gzip', 'br', 'deflate', 'identity', '']).optional(),
      follow_redirects: z.boolean().default(true),
      no_follow_redirects: z.boolean().optional(),
      fail_if_ssl: z.boolean().default(false),
      fail_if_not_ssl: z.boolean().default(false),
      fail_if_body_matches_regexp: list(regex),
      fail_if_body_not_matches_regexp: list(regex),
      fail_if_body_json_matches_cel: notYet('fail_if_body_json_matches_cel'),
      fail_if_body_json_not_matches_cel: notYet('fail_if_body_json_not_matches_cel'),
      fail_if_header_matches: list(headerMatch()),
      fail_if_header_not_matches: list(headerMatch()),
      tls_config: tlsConfig().optional(),
      basic_auth: z
        .strictObject({
          username: z.string().optional(),
          username_file: z.string().optional(),
          password: z.string().optional(),
          password_file: z.string().optional(),
        })
        .optional(),
      authorization: z
        .strictObject({
          type: z.string().default('Bearer'),
          credentials: z.string().optional(),
          credentials_file: z.string().optional(),
        })
        .optional(),
      bearer_token: z.string().optional(),
      bearer_token_file: z.string().optional(),
      oauth2: oauth2().optional(),
      ...proxyKeys(),
      skip_resolve_phase_with_proxy: z.boolean().default(false),
      /** Probes speak HTTP/1.1. */
      enable_http2: z.boolean().optional(),
      enable_http3: z.literal(false, { error: 'enable_http3 is not available yet in Belltower' }).optional(),
    })
    .superRefine((file, context) => {
      const fault = faultsOf(context)
      checkAuthentication(file, fault)
      checkProxy(file, fault)
      checkBody(file, fault)
      for (const name of Object.keys(file.http_headers)) {
        if (RESERVED_HEADERS.has(name.toLowerCase())) {
          fault(`setting header ${JSON.stringify(name)} is not allowed`, 'http_headers', name)
        }
      }
    })
export type HttpProbeOptions = z.output<ReturnType<typeof http>>

// Set by the request itself or by keys of their own.
const RESERVED_HEADERS: ReadonlySet<string> = new Set([...CONNECTION_HEADERS, 'authorization'])

type Fault = (why: string, ...path: string[]) => void
const faultsOf =
  (context: { addIssue(issue: { code: 'custom'; path: PropertyKey[]; message: string }): void }): Fault =>
  (message, ...path) =>
    context.addIssue({ code: 'custom', path, message })

function checkAuthentication(file: HttpProbeOptions, fault: Fault): void {
  const { basic_auth: basic, authorization, oauth2: tokens } = file
  const exclusive = (a: unknown, b: unknown, names: string, ...path: string[]): void => {
    if (a !== undefined && b !== undefined) fault(`at most one of ${names} must be configured`, ...path)
  }
  const bearer = file.bearer_token ?? file.bearer_token_file
  if ([basic, authorization, tokens, bearer].filter((way) => way !== undefined).length > 1) {
    const where = authorization ? 'authorization' : tokens ? 'oauth2' : 'bearer_token'
    fault('at most one of basic_auth, oauth2, authorization & bearer_token must be configured', where)
  }
  exclusive(file.bearer_token, file.bearer_token_file, 'bearer_token & bearer_token_file', 'bearer_token_file')
  exclusive(basic?.username, basic?.username_file, 'basic_auth username & username_file', 'basic_auth')
  exclusive(basic?.password, basic?.password_file, 'basic_auth password & password_file', 'basic_auth')
  const names = 'authorization credentials & credentials_file'
  exclusive(authorization?.credentials, authorization?.credentials_file, names, 'authorization')
}

function checkProxy(file: ProxyOptions, fault: Fault): void {
  const { proxy_url: url, no_proxy: exceptions, proxy_from_environment: fromEnvironment } = file
  if (url !== undefined && fromEnvironment) {
    fault('if proxy_from_environment is configured, proxy_url must not be configured', 'proxy_url')
  }
  if (exceptions !== undefined && fromEnvironment) {
    fault('if proxy_from_environment is configured, no_proxy must not be configured', 'no_proxy')
  }
  const hasProxy = url !== undefined || fromEnvironment
  if (exceptions !== undefined && !hasProxy) {
    fault('if no_proxy is configured, proxy_url must also be configured', 'no_proxy')
  }
  if (file.proxy_connect_header && !hasProxy) {
    const why = 'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured'
    fault(why, 'proxy_connect_header')
  }
}

function checkBody(file: HttpProbeOptions, fault: Fault): void {
  if (file.body !== undefined && file.body_file !== undefined) {
    fault('setting body and body_file both are not allowed', 'body_file')
  }
  const accepted = Object.entries(file.headers).find(([name]) => name.toLowerCase() === 'accept-encoding')?.[1]
  if (file.compression && accepted !== undefined && !accepts(accepted, file.compression)) {
    const why = `the header Accept-Encoding ${JSON.stringify(accepted)} does not accept ${file.compression}`
    fault(why, 'compression')
  }
}

/** Whether a value of Accept-Encoding lets an encoding pass. */
function accepts(header: string, encoding: string): boolean {
  const entries = header.split(',').map((entry) => {
    const [name = '', ...settings] = entry.toLowerCase().split(';')
    const isRefused = settings.some((setting) => /^\s*q\s*=\s*0(\.0*)?\s*$/.test(setting))
    return { name: name.trim(), isRefused }
  })
  const own = entries.find(({ name }) => name === encoding) ?? entries.find(({ name }) => name === '*')
  return own !== undefined ? !own.isRefused : encoding === 'identity'
}
