/** `http_config` from the file's shape to what the HTTP client runs on; paths become absolute. */
import { dirname, isAbsolute, join } from 'node:path'
import type { HttpClientConfig, OAuth2Config, TlsClientConfig } from '../../lib/index.ts'
import type { HttpConfigFile, TlsFile } from './http-schema.ts'

const TLS_VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const

export function convertHttp(file: HttpConfigFile, configPath: string): HttpClientConfig {
  const resolve = resolverOf(configPath)
  const { basic_auth: basic, authorization, bearer_token: token, bearer_token_file: tokenFile } = file
  const headers = Object.entries(file.http_headers ?? {})
  const plainHeaders = headers
    .map(([name, { values, secrets }]) => [name, [...values, ...secrets].join(', ')] as const)
    .filter(([, value]) => value !== '')
  const headerFiles = headers
    .filter(([, { files }]) => files.length > 0)
    .map(([name, { files }]) => [name, files.map(resolve)] as const)
  return defined({
    basicAuth: basic && {
      username: basic.username ?? '',
      ...defined({
        usernameFile: basic.username_file && resolve(basic.username_file),
        password: basic.password,
        passwordFile: basic.password_file && resolve(basic.password_file),
      }),
    },
    authorization: authorization
      ? {
          type: authorization.type ?? 'Bearer',
          ...defined({
            credentials: authorization.credentials,
            credentialsFile: authorization.credentials_file && resolve(authorization.credentials_file),
          }),
        }
      : token !== undefined || tokenFile !== undefined
        ? { type: 'Bearer', ...defined({ credentials: token, credentialsFile: tokenFile && resolve(tokenFile) }) }
        : undefined,
    oauth2: file.oauth2 && convertOAuth2(file.oauth2, resolve),
    tls: file.tls_config && convertTls(file.tls_config, resolve),
    ...convertProxy(file),
    followRedirects: file.follow_redirects,
    headers: plainHeaders.length > 0 ? Object.fromEntries(plainHeaders) : undefined,
    headerFiles: headerFiles.length > 0 ? Object.fromEntries(headerFiles) : undefined,
  })
}

/** Makes a path that a configuration file names absolute: relative to that file's folder. */
export function resolverOf(configPath: string): (path: string) => string {
  const folder = dirname(configPath)
  return (path) => (isAbsolute(path) ? path : join(folder, path))
}

type Resolve = (path: string) => string

export function convertTls(tls: TlsFile, resolve: Resolve): TlsClientConfig {
  return defined({
    ca: tls.ca,
    caFile: tls.ca_file && resolve(tls.ca_file),
    cert: tls.cert,
    certFile: tls.cert_file && resolve(tls.cert_file),
    key: tls.key,
    keyFile: tls.key_file && resolve(tls.key_file),
    serverName: tls.server_name,
    insecureSkipVerify: tls.insecure_skip_verify,
    minVersion: tls.min_version && TLS_VERSIONS[tls.min_version],
    maxVersion: tls.max_version && TLS_VERSIONS[tls.max_version],
  })
}

function convertProxy(file: Pick<HttpConfigFile, 'proxy_url' | 'no_proxy' | 'proxy_from_environment'> & Headers) {
  const headers = Object.entries(file.proxy_connect_header ?? {}).map(([name, values]) => [name, values.join(', ')])
  return {
    proxyUrl: file.proxy_url,
    noProxy: file.no_proxy,
    proxyFromEnvironment: file.proxy_from_environment,
    proxyConnectHeaders: headers.length > 0 ? (Object.fromEntries(headers) as Record<string, string>) : undefined,
  }
}
type Headers = Pick<HttpConfigFile, 'proxy_connect_header'>

function convertOAuth2(file: NonNullable<HttpConfigFile['oauth2']>, resolve: Resolve): OAuth2Config {
  const isJwt = file.grant_type !== undefined && file.grant_type !== 'client_credentials'
  return {
    clientId: file.client_id,
    tokenUrl: file.token_url,
    scopes: file.scopes,
    http: defined({ tls: file.tls_config && convertTls(file.tls_config, resolve), ...convertProxy(file) }),
    ...defined({
      clientSecret: file.client_secret,
      clientSecretFile: file.client_secret_file && resolve(file.client_secret_file),
      endpointParams: file.endpoint_params,
      jwt: isJwt
        ? {
            algorithm: file.signature_algorithm ?? ('RS256' as const),
            issuer: file.iss ?? file.client_id,
            ...defined({
              key: file.client_certificate_key,
              keyFile: file.client_certificate_key_file && resolve(file.client_certificate_key_file),
              keyId: file.client_certificate_key_id,
              audience: file.audience,
              claims: file.claims,
            }),
          }
        : undefined,
    }),
  }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined | ''> }

/** Without the keys that are undefined, as `exactOptionalPropertyTypes` wants it. */
export function defined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>
}
