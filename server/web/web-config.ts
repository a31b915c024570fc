/** `--web.config.file`: TLS, users and headers of our own ports, in the form that Prometheus' exporters and servers share. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { z } from 'zod'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { CIPHER_SUITES, CURVES, TLS_VERSIONS } from './tls-names.ts'

const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const
export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number]

const HEADERS = {
  'Strict-Transport-Security': undefined,
  'Content-Security-Policy': undefined,
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-Content-Type-Options': ['nosniff'],
  'X-XSS-Protection': undefined,
} as const
const headerValue = (values: readonly string[] | undefined) =>
  z.string().refine((text) => text === '' || values === undefined || values.includes(text.toLowerCase()), {
    message: `must be one of ${values?.join(', ')}`,
  })

const tlsSchema = z.strictObject({
  cert: z.string().optional(),
  key: z.string().optional(),
  cert_file: z.string().optional(),
  key_file: z.string().optional(),
  client_auth_type: z.enum(CLIENT_AUTH_TYPES).or(z.literal('')).optional(),
  client_ca: z.string().optional(),
  client_ca_file: z.string().optional(),
  client_allowed_sans: z.array(z.string()).optional(),
  min_version: z.enum(Object.keys(TLS_VERSIONS) as [string]).optional(),
  max_version: z.enum(Object.keys(TLS_VERSIONS) as [string]).optional(),
  cipher_suites: z.array(z.enum(Object.keys(CIPHER_SUITES) as [string])).optional(),
  prefer_server_cipher_suites: z.boolean().optional(),
  curve_preferences: z.array(z.enum(Object.keys(CURVES) as [string])).optional(),
})
const schema = z.strictObject({
  tls_server_config: tlsSchema.optional(),
  http_server_config: z
    .strictObject({
      http2: z.boolean().optional(),
      headers: z
        .strictObject(
          Object.fromEntries(Object.entries(HEADERS).map(([name, values]) => [name, headerValue(values).optional()])),
        )
        .optional(),
    })
    .optional(),
  basic_auth_users: z
    .record(z.string(), z.string().regex(/^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/, 'is no bcrypt hash'))
    .nullish(),
})

export interface TlsSettings {
  readonly options: TlsOptions
  readonly clientAuthType: ClientAuthType
  /** Names of which a client's certificate must hold one; empty = any. */
  readonly allowedSans: readonly string[]
}

export interface WebConfig {
  /** `undefined`: plain HTTP. */
  readonly tls: TlsSettings | undefined
  readonly headers: ReadonlyMap<string, string>
  /** bcrypt hashes by name; empty = everybody may come in. */
  readonly users: ReadonlyMap<string, string>
  /** Every file it was made from. */
  readonly files: readonly string[]
}

/** @throws {ConfigError} also when a certificate cannot be read */
export function loadWebConfig(path: string): WebConfig {
  if (!existsSync(path)) throw new ConfigError([`${path}:1:1: no such file`])
  const { value, fault } = parseConfig(path, readFileSync(path, 'utf8'), schema)
  const { tls_server_config: tls, http_server_config: http, basic_auth_users: users } = value
  const files = [path]
  const faults: string[] = []
  const text = (inline: string | undefined, key: 'cert' | 'key' | 'client_ca'): string | undefined => {
    const file = tls?.[`${key}_file`]
    if (inline !== undefined && file !== undefined) {
      faults.push(fault(['tls_server_config', key], `${key} and ${key}_file exclude each other`))
    }
    if (file === undefined) return inline
    const absolute = resolve(dirname(path), file)
    files.push(absolute)
    try {
      return readFileSync(absolute, 'utf8')
    } catch (error) {
      faults.push(fault(['tls_server_config', `${key}_file`], (error as Error).message))
      return undefined
    }
  }
  const cert = text(tls?.cert, 'cert')
  const key = text(tls?.key, 'key')
  const ca = text(tls?.client_ca, 'client_ca')
  const clientAuthType = tls?.client_auth_type || 'NoClientCert'
  // A block without any setting is as good as none.
  const isTls = tls !== undefined && Object.keys(tls).length > 0
  if (isTls && faults.length === 0) {
    if (cert === undefined) faults.push(fault(['tls_server_config'], 'missing one of cert or cert_file'))
    if (key === undefined) faults.push(fault(['tls_server_config'], 'missing one of key or key_file'))
    if (ca !== undefined && clientAuthType === 'NoClientCert') {
      faults.push(fault(['tls_server_config'], 'client CAs are given without a client_auth_type'))
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return {
    tls: isTls ? tlsSettings(tls, { cert, key, ca }, clientAuthType) : undefined,
    headers: new Map(Object.entries(http?.headers ?? {}).filter((entry): entry is [string, string] => !!entry[1])),
    users: new Map(Object.entries(users ?? {})),
    files,
  }
}

function tlsSettings(
  tls: z.infer<typeof tlsSchema>,
  { cert, key, ca }: { cert: string | undefined; key: string | undefined; ca: string | undefined },
  clientAuthType: ClientAuthType,
): TlsSettings {
  const suites = tls.cipher_suites?.map((name) => CIPHER_SUITES[name]!)
  const verifies = clientAuthType === 'RequireAndVerifyClientCert'
  const options: TlsOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: TLS_VERSIONS[tls.min_version ?? 'TLS12']!,
    maxVersion: TLS_VERSIONS[tls.max_version ?? 'TLS13']!,
    ...(suites === undefined ? {} : { ciphers: suites.join(':') }),
    ...(tls.curve_preferences ? { ecdhCurve: tls.curve_preferences.map((name) => CURVES[name]).join(':') } : {}),
    honorCipherOrder: tls.prefer_server_cipher_suites ?? true,
    requestCert: clientAuthType !== 'NoClientCert',
    rejectUnauthorized: verifies,
  }
  return { options, clientAuthType, allowedSans: tls.client_allowed_sans ?? [] }
}
