import type { HttpClientConfig, HttpRequest } from './http-client.ts'
import { basicCredentials } from './http-text.ts'
import type { PlainRequest } from './plain-http-client.ts'

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
// Latin 1 without control characters; what is beyond needs more care than ready bytes allow.
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * A GET request as ready bytes, with what the configuration adds to it.
 *
 * @param socketPath Unix socket that is asked instead of the URL's host; '' = none
 * @returns `undefined` where the general client is needed: TLS, a proxy, secrets in files, a URL or header that is not valid
 */
export function plainRequest(
  request: HttpRequest,
  config: HttpClientConfig = {},
  socketPath = '',
): PlainRequest | undefined {
  const { basicAuth, authorization } = config
  const files = [basicAuth?.usernameFile, basicAuth?.passwordFile, authorization?.credentialsFile, config.headerFiles]
  const changes = files.some((file) => file !== undefined) || config.oauth2 !== undefined
  const usesProxy = config.proxyUrl !== undefined || config.proxyFromEnvironment === true
  if (usesProxy || changes || !URL.canParse(request.url)) return undefined
  const url = new URL(request.url)
  const credentials = credentialsOf(url)
  if (url.protocol !== 'http:' || credentials === undefined) return undefined
  const headers: Record<string, string> = { host: url.host, connection: 'keep-alive' }
  const add = (more: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(more)) headers[name.toLowerCase()] = value
  }
  add(config.headers ?? {})
  if (basicAuth) headers.authorization = basicCredentials(basicAuth.username, basicAuth.password ?? '')
  else if (authorization) {
    headers.authorization = `${authorization.type || 'Bearer'} ${authorization.credentials ?? ''}`
  } else if (credentials !== '') headers.authorization = credentials
  add(request.headers ?? {})
  const lines = Object.entries(headers)
  if (!lines.every(([name, value]) => HEADER_NAME.test(name) && HEADER_VALUE.test(value))) return undefined
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 80 : Number(url.port),
    socketPath,
    bytes: Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n`, 'latin1'),
    name: `GET ${url.origin}${url.pathname}${url.search}`,
    timeoutMs: request.timeoutMs,
    bodyBytesMax: request.bodyBytesMax ?? 0,
  }
}

/** '' = none, `undefined` = not well written. */
function credentialsOf(url: URL): string | undefined {
  if (url.username === '') return ''
  try {
    return basicCredentials(decodeURIComponent(url.username), decodeURIComponent(url.password))
  } catch {
    return undefined
  }
}
