/** Headers of a probe's request: configured ones, and those that say who asks. */
import { readFile } from 'node:fs/promises'
import { errorMessage, type HttpClient, type HttpClientConfig } from '../../../lib/index.ts'
import { basicCredentials } from '../../../lib/http-text.ts'
import { OAuth2Tokens } from '../../../lib/oauth2.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import type { ProbeTls } from './config-keys.ts'
import type { HttpProbeOptions, ProbeOAuth2, ProxyOptions } from './http-config.ts'
import { beforeDeadline, ProbeFailure } from './resolve.ts'
import { TLS_VERSIONS } from './tls-metrics.ts'

export type ProbeHeaders = Record<string, string | string[]>

/**
 * By name in lower case. Files are read anew for each request.
 *
 * @param isFirstHost another host is asked for by its own name, and is not told who asks
 * @throws {ProbeFailure} when there is no token in time
 */
export async function requestHeaders(
  url: URL,
  options: HttpProbeOptions,
  isFirstHost: boolean,
  deadlineMs: number,
): Promise<ProbeHeaders> {
  const headers: ProbeHeaders = { host: url.host, 'user-agent': 'Belltower Probe', accept: '*/*' }
  if (isFirstHost) Object.assign(headers, await authorization(options, deadlineMs))
  if (options.compression) headers['accept-encoding'] = options.compression
  for (const [name, value] of Object.entries(options.headers)) {
    if (isFirstHost || name.toLowerCase() !== 'host') headers[name.toLowerCase()] = value
  }
  if (!isFirstHost) return headers
  for (const [name, { values, secrets, files }] of Object.entries(options.http_headers)) {
    const held = headers[name.toLowerCase()] ?? []
    headers[name.toLowerCase()] = [held, values, secrets, await Promise.all(files.map(read))].flat()
  }
  return headers
}

async function authorization(options: HttpProbeOptions, deadlineMs: number): Promise<Record<string, string>> {
  const { basic_auth: basic, authorization: own, oauth2 } = options
  if (oauth2) return { authorization: `Bearer ${await tokenOf(oauth2, deadlineMs)}` }
  if (basic) {
    const username = await secretOf(basic.username, basic.username_file)
    return {
      authorization: basicCredentials(username ?? '', (await secretOf(basic.password, basic.password_file)) ?? ''),
    }
  }
  const credentials =
    (await secretOf(own?.credentials, own?.credentials_file)) ??
    (await secretOf(options.bearer_token, options.bearer_token_file))
  return credentials === undefined ? {} : { authorization: `${own?.type ?? 'Bearer'} ${credentials}` }
}

const secretOf = async (text: string | undefined, file: string | undefined): Promise<string | undefined> =>
  text ?? (file === undefined ? undefined : read(file))

const read = async (path: string): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw new ProbeFailure(`unable to read ${path}: ${errorMessage(error)}`, { cause: error })
  }
}

/** Tokens serve many probes; they go with the configuration that they belong to. */
const tokens = new WeakMap<ProbeOAuth2, OAuth2Tokens>()

function tokenOf(oauth2: ProbeOAuth2, deadlineMs: number): Promise<string> {
  let held = tokens.get(oauth2)
  if (!held) tokens.set(oauth2, (held = createTokens(oauth2)))
  return beforeDeadline(held.token(), deadlineMs, 'there was no OAuth 2.0 token in time').catch((error: unknown) => {
    throw error instanceof ProbeFailure ? error : new ProbeFailure(errorMessage(error), { cause: error })
  })
}

function createTokens(oauth2: ProbeOAuth2): OAuth2Tokens {
  const { client_secret: clientSecret, client_secret_file: clientSecretFile } = oauth2
  const config = {
    clientId: oauth2.client_id,
    tokenUrl: oauth2.token_url,
    scopes: oauth2.scopes,
    endpointParams: oauth2.endpoint_params,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(clientSecretFile !== undefined && { clientSecretFile }),
  }
  const http = { ...proxyConfig(oauth2), ...(oauth2.tls_config && { tls: tlsClient(oauth2.tls_config) }) }
  return new OAuth2Tokens(config, singleUseClient(http))
}

/** Nobody says when a module has been probed for the last time: no connection stays open. */
function singleUseClient(config: HttpClientConfig): HttpClient {
  return {
    async request(request) {
      const client = createHttpClient(config)
      try {
        return await client.request(request)
      } finally {
        await client.close()
      }
    },
    close: async () => undefined,
  }
}

function proxyConfig(file: ProxyOptions): HttpClientConfig {
  const connectHeaders = Object.entries(file.proxy_connect_header ?? {})
  return {
    proxyFromEnvironment: file.proxy_from_environment,
    ...(file.proxy_url !== undefined && { proxyUrl: file.proxy_url }),
    ...(file.no_proxy !== undefined && { noProxy: file.no_proxy }),
    proxyConnectHeaders: Object.fromEntries(connectHeaders.map(([name, values]) => [name, values.join(', ')])),
  }
}

function tlsClient(tls: ProbeTls): NonNullable<HttpClientConfig['tls']> {
  const entries = {
    ca: tls.ca,
    caFile: tls.ca_file,
    cert: tls.cert,
    certFile: tls.cert_file,
    key: tls.key,
    keyFile: tls.key_file,
    serverName: tls.server_name,
    minVersion: tls.min_version && TLS_VERSIONS[tls.min_version],
    maxVersion: tls.max_version && TLS_VERSIONS[tls.max_version],
    insecureSkipVerify: tls.insecure_skip_verify,
  }
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
}
