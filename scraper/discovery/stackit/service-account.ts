import type { HttpClientConfig } from '../../../lib/index.ts'
import { DiscoveryError } from '../poll.ts'
import { secretText } from '../secret-file.ts'
import type { StackitSdConfig } from './config.ts'

const TOKEN_URL = 'https://service-account.api.stackit.cloud/token'

interface ServiceAccountKey {
  readonly credentials?: {
    readonly kid?: string
    readonly iss?: string
    readonly sub?: string
    readonly aud?: string
    readonly privateKey?: string
  }
}

/** How the API is asked: with tokens for the service account where one is configured. @throws {DiscoveryError} */
export async function stackitHttp(config: StackitSdConfig): Promise<HttpClientConfig> {
  const named = config.credentialsFile === undefined ? {} : await readCredentials(config.credentialsFile)
  const keyFile = config.serviceAccountKeyFile ?? named.STACKIT_SERVICE_ACCOUNT_KEY_PATH
  const key = await secretText(config.serviceAccountKey, keyFile)
  const http = config.http ?? {}
  if (key === '') return http
  const { credentials } = parse<ServiceAccountKey>(key, 'the service account key')
  const privateKeyFile = config.privateKeyFile ?? named.STACKIT_PRIVATE_KEY_PATH
  const privateKey = (await secretText(config.privateKey, privateKeyFile)) || credentials?.privateKey
  if (!credentials?.sub || !credentials.iss || !privateKey) {
    throw new DiscoveryError('the STACKIT service account key has no sub, no iss or no private key')
  }
  const { basicAuth: _basic, authorization: _authorization, ...transport } = http
  return {
    ...transport,
    oauth2: {
      clientId: credentials.sub,
      tokenUrl: config.tokenUrl ?? TOKEN_URL,
      jwt: {
        key: privateKey,
        algorithm: 'RS512',
        issuer: credentials.iss,
        claims: { sub: credentials.sub },
        ...(credentials.kid !== undefined && { keyId: credentials.kid }),
        ...(credentials.aud !== undefined && { audience: credentials.aud }),
      },
    },
  }
}

async function readCredentials(path: string): Promise<Readonly<Record<string, string | undefined>>> {
  return parse(await secretText(undefined, path), path)
}

function parse<T>(json: string, what: string): T {
  try {
    return JSON.parse(json) as T
  } catch {
    // Without the cause: its message would quote the secret.
    throw new DiscoveryError(`${what} is no JSON`)
  }
}
