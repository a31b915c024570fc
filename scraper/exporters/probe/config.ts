/** Modules as in blackbox_exporter's configuration file. */
import { z } from 'zod'
import { parseConfig } from '../../../lib/yaml-config.ts'
import { compileSearch, parseDuration } from '../../../model/index.ts'

const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
    return z.NEVER
  }
})
const regex = z.string().superRefine((text, context) => {
  try {
    compileSearch(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})
const list = <T extends z.ZodType>(item: T) => z.array(item).default([])
const notYet = (what: string) =>
  z.undefined({ error: `${what} is not available yet in Belltower` }).optional() as z.ZodOptional<z.ZodUndefined>

const tlsConfig = z.strictObject({
  insecure_skip_verify: z.boolean().default(false),
  ca_file: z.string().optional(),
  cert_file: z.string().optional(),
  key_file: z.string().optional(),
  server_name: z.string().optional(),
  min_version: z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).optional(),
  max_version: z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).optional(),
})
export type ProbeTls = z.output<typeof tlsConfig>

const ipKeys = {
  preferred_ip_protocol: z.enum(['ip4', 'ip6']).default('ip6'),
  ip_protocol_fallback: z.boolean().default(true),
  source_ip_address: z.string().optional(),
}
const ipOptions = z.strictObject(ipKeys)
export type IpOptions = z.output<typeof ipOptions>

const headerMatch = z.strictObject({
  header: z.string(),
  regexp: regex,
  allow_missing: z.boolean().default(false),
})

const http = z.strictObject({
  ...ipKeys,
  valid_status_codes: list(z.number().int()),
  valid_http_versions: list(z.string()),
  method: z.string().default('GET'),
  headers: z.record(z.string(), z.string()).default({}),
  http_headers: notYet('http_headers'),
  body: z.string().optional(),
  body_file: z.string().optional(),
  body_size_limit: z.union([z.literal(0), z.string().regex(/^\d+(B|KB|MB|GB)$/)]).default(0),
  compression: z.enum(['gzip', 'deflate', 'identity', '']).optional(),
  follow_redirects: z.boolean().default(true),
  no_follow_redirects: z.boolean().optional(),
  fail_if_ssl: z.boolean().default(false),
  fail_if_not_ssl: z.boolean().default(false),
  fail_if_body_matches_regexp: list(regex),
  fail_if_body_not_matches_regexp: list(regex),
  fail_if_body_json_matches_cel: notYet('fail_if_body_json_matches_cel'),
  fail_if_body_json_not_matches_cel: notYet('fail_if_body_json_not_matches_cel'),
  fail_if_header_matches: list(headerMatch),
  fail_if_header_not_matches: list(headerMatch),
  tls_config: tlsConfig.optional(),
  basic_auth: z
    .strictObject({ username: z.string(), password: z.string().optional(), password_file: z.string().optional() })
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
  oauth2: notYet('oauth2'),
  proxy_url: notYet('proxy_url'),
  proxy_from_environment: notYet('proxy_from_environment'),
  no_proxy: notYet('no_proxy'),
  skip_resolve_phase_with_proxy: z.boolean().optional(),
  /** Probes speak HTTP/1.1. */
  enable_http2: z.boolean().optional(),
  enable_http3: notYet('enable_http3'),
})

const tcp = z.strictObject({
  ...ipKeys,
  query_response: list(
    z.strictObject({
      expect: regex.optional(),
      expect_bytes: z.string().optional(),
      send: z.string().optional(),
      starttls: z.boolean().default(false),
      labels: list(z.strictObject({ name: z.string(), value: z.string() })),
    }),
  ),
  tls: z.boolean().default(false),
  tls_config: tlsConfig.optional(),
})

const rrChecks = z
  .strictObject({
    fail_if_matches_regexp: list(regex),
    fail_if_all_match_regexp: list(regex),
    fail_if_not_matches_regexp: list(regex),
    fail_if_none_matches_regexp: list(regex),
  })
  .optional()
export type RecordChecks = z.output<typeof rrChecks>

const dns = z.strictObject({
  ...ipKeys,
  dns_over_tls: z.boolean().default(false),
  tls_config: tlsConfig.optional(),
  transport_protocol: z.enum(['udp', 'tcp']).default('udp'),
  query_class: z.enum(['IN', 'CH', 'ANY']).default('IN'),
  query_name: z.string().min(1, { error: 'query name must be set for DNS module' }),
  query_type: z.string().default('ANY'),
  recursion_desired: z.boolean().default(true),
  valid_rcodes: list(z.string()),
  validate_answer_rrs: rrChecks,
  validate_authority_rrs: rrChecks,
  validate_additional_rrs: rrChecks,
})

const icmp = z.strictObject({
  ...ipKeys,
  payload_size: z.number().int().nonnegative().default(0),
  dont_fragment: z.boolean().default(false),
  ttl: z.number().int().min(0).max(255).default(0),
})

const module = z
  .strictObject({
    prober: z.enum(['http', 'tcp', 'dns', 'icmp'], { error: 'prober must be http, tcp, dns or icmp' }),
    timeout: duration.optional(),
    http: http.optional(),
    tcp: tcp.optional(),
    dns: dns.optional(),
    icmp: icmp.optional(),
  })
  .superRefine((one, context) => {
    if (one.prober === 'dns' && !one.dns) {
      context.addIssue({ code: 'custom', path: ['dns'], message: 'query name must be set for DNS module' })
    }
  })
  .transform((one) => ({
    prober: one.prober,
    timeoutMs: one.timeout,
    http: one.http ?? http.parse({}),
    tcp: one.tcp ?? tcp.parse({}),
    dns: one.dns,
    icmp: one.icmp ?? icmp.parse({}),
  }))
export type ProbeModule = z.output<typeof module>
export type HttpProbeOptions = ProbeModule['http']
export type TcpProbeOptions = ProbeModule['tcp']
export type DnsProbeOptions = NonNullable<ProbeModule['dns']>
export type IcmpProbeOptions = ProbeModule['icmp']

const probeFile = z.strictObject({ modules: z.record(z.string(), module).default({}) })

/** Modules by name. */
export type ProbeModules = Readonly<Record<string, ProbeModule>>

/** @throws {ConfigError} listing every fault */
export function parseProbeConfig(fileName: string, text: string): ProbeModules {
  return parseConfig(fileName, text, probeFile as z.ZodType<{ modules: ProbeModules }>).value.modules
}

let defaults: ProbeModules | undefined

/** What there is without a file: read when somebody probes, a start has no time for it. */
export function defaultProbeModules(): ProbeModules {
  defaults ??= parseProbeConfig('built-in probe modules', DEFAULT_MODULES)
  return defaults
}

const DEFAULT_MODULES = `modules:
  http_2xx: { prober: http }
  http_post_2xx: { prober: http, http: { method: POST } }
  tcp_connect: { prober: tcp }
  tcp_tls: { prober: tcp, tcp: { tls: true } }
  ssh_banner: { prober: tcp, tcp: { query_response: [{ expect: "^SSH-2.0-" }] } }
  icmp: { prober: icmp }
`
