/** Modules as in blackbox_exporter's configuration file. */
import { z } from 'zod'
import { parseConfig } from '../../../lib/yaml-config.ts'
import { duration, ipKeys, list, queryResponse, regex, tlsConfig } from './config-keys.ts'
import { http } from './http-config.ts'

const tcp = () =>
  z.strictObject({
    ...ipKeys(),
    query_response: queryResponse(),
    tls: z.boolean().default(false),
    tls_config: tlsConfig().optional(),
  })

const unix = () => tcp().omit({ preferred_ip_protocol: true, ip_protocol_fallback: true, source_ip_address: true })

const grpc = () =>
  z.strictObject({
    ...ipKeys(),
    service: z.string().default(''),
    metadata: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .superRefine((metadata, context) => {
        for (const name of Object.keys(metadata)) {
          const message = `${JSON.stringify(name)} is not a name of metadata`
          if (!/^[\w.-]+$/.test(name)) context.addIssue({ code: 'custom', path: [name], message })
        }
      }),
    tls: z.boolean().default(false),
    tls_config: tlsConfig().optional(),
  })

const rrChecks = () =>
  z
    .strictObject({
      fail_if_matches_regexp: list(regex),
      fail_if_all_match_regexp: list(regex),
      fail_if_not_matches_regexp: list(regex),
      fail_if_none_matches_regexp: list(regex),
    })
    .optional()
export type RecordChecks = z.output<ReturnType<typeof rrChecks>>

const dns = () =>
  z.strictObject({
    ...ipKeys(),
    dns_over_tls: z.boolean().default(false),
    tls_config: tlsConfig().optional(),
    transport_protocol: z.enum(['udp', 'tcp']).default('udp'),
    query_class: z.enum(['IN', 'CH', 'ANY']).default('IN'),
    query_name: z.string().min(1, { error: 'query name must be set for DNS module' }),
    query_type: z.string().default('ANY'),
    recursion_desired: z.boolean().default(true),
    valid_rcodes: list(z.string()),
    validate_answer_rrs: rrChecks(),
    validate_authority_rrs: rrChecks(),
    validate_additional_rrs: rrChecks(),
  })

const icmp = () =>
  z.strictObject({
    ...ipKeys(),
    payload_size: z.number().int().nonnegative().default(0),
    dont_fragment: z.boolean().default(false),
    ttl: z.number().int().min(0).max(255).default(0),
  })

const PROBERS = ['http', 'tcp', 'dns', 'icmp', 'grpc', 'unix'] as const
function moduleSchema() {
  const of = { http: http(), tcp: tcp(), dns: dns(), icmp: icmp(), grpc: grpc(), unix: unix() }
  return z
    .strictObject({
      prober: z.enum(PROBERS, { error: `prober must be one of ${PROBERS.join(', ')}` }),
      timeout: duration.optional(),
      http: of.http.optional(),
      tcp: of.tcp.optional(),
      dns: of.dns.optional(),
      icmp: of.icmp.optional(),
      grpc: of.grpc.optional(),
      unix: of.unix.optional(),
    })
    .superRefine((one, context) => {
      if (one.prober === 'dns' && !one.dns) {
        context.addIssue({ code: 'custom', path: ['dns'], message: 'query name must be set for DNS module' })
      }
    })
    .transform((one) => ({
      prober: one.prober,
      timeoutMs: one.timeout,
      http: one.http ?? of.http.parse({}),
      tcp: one.tcp ?? of.tcp.parse({}),
      dns: one.dns,
      icmp: one.icmp ?? of.icmp.parse({}),
      grpc: one.grpc ?? of.grpc.parse({}),
      unix: one.unix ?? of.unix.parse({}),
    }))
}
export type ProbeModule = z.output<ReturnType<typeof moduleSchema>>
export type TcpProbeOptions = ProbeModule['tcp']
export type DnsProbeOptions = NonNullable<ProbeModule['dns']>
export type IcmpProbeOptions = ProbeModule['icmp']
export type GrpcProbeOptions = ProbeModule['grpc']
export type UnixProbeOptions = ProbeModule['unix']

/** Modules by name. */
export type ProbeModules = Readonly<Record<string, ProbeModule>>

let fileSchema: z.ZodType<{ modules: ProbeModules }> | undefined

/** @throws {ConfigError} listing every fault */
export function parseProbeConfig(fileName: string, text: string): ProbeModules {
  fileSchema ??= z.strictObject({ modules: z.record(z.string(), moduleSchema()).default({}) }) as z.ZodType<{
    modules: ProbeModules
  }>
  return parseConfig(fileName, text, fileSchema).value.modules
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
