import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { HttpClient } from '../../../lib/index.ts'
import { OAuth2Tokens } from '../../../lib/oauth2.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { askJson, DiscoveryError } from '../poll.ts'

const TOKEN_URL = 'https://oauth2.googleapis.com/token'
const METADATA_HOST = 'metadata.google.internal'
const TIMEOUT_MS = 30_000
// A token is renewed this long before it ends.
const EXPIRY_MARGIN_MS = 60_000

interface CredentialsFile {
  readonly type?: string
  readonly client_email?: string
  readonly client_id?: string
  readonly client_secret?: string
  readonly private_key?: string
  readonly private_key_id?: string
  readonly refresh_token?: string
  readonly token_uri?: string
}

interface TokenAnswer {
  readonly access_token: string
  readonly expires_in?: number
}

/**
 * Access tokens with the credentials that Google's own tools would take: the file that the environment names, the one of
 * the command line tool, the machine's account.
 */
export class GoogleTokens {
  readonly #client: HttpClient
  readonly #scope: string
  readonly #env: NodeJS.ProcessEnv
  #account: OAuth2Tokens | undefined
  #held: { readonly token: string; readonly endsAtMs: number } | undefined

  constructor(client: HttpClient, scope: string, env: NodeJS.ProcessEnv = process.env) {
    this.#client = client
    this.#scope = scope
    this.#env = env
  }

  /** @throws {DiscoveryError} @throws {HttpRequestError} */
  async token(): Promise<string> {
    if (this.#account) return this.#account.token()
    if (this.#held && performance.now() < this.#held.endsAtMs) return this.#held.token
    this.#held = undefined
    const file = await readCredentials(this.#env)
    if (file?.type === 'service_account') {
      this.#account = serviceAccount(file, this.#scope)
      return this.#account.token()
    }
    const answer = await (file === undefined ? this.#machineToken() : this.#userToken(file))
    const lifeMs = (answer.expires_in ?? 3600) * 1000
    this.#held = { token: answer.access_token, endsAtMs: performance.now() + lifeMs - EXPIRY_MARGIN_MS }
    return answer.access_token
  }

  /** Drops the token that is held, and the account of a file, which may have changed; whether there was any. */
  async forget(): Promise<boolean> {
    const account = this.#account
    const isHeld = account !== undefined || this.#held !== undefined
    this.#account = undefined
    this.#held = undefined
    await account?.close()
    return isHeld
  }

  async close(): Promise<void> {
    await this.#account?.close()
  }

  async #machineToken(): Promise<TokenAnswer> {
    const host = this.#env.GCE_METADATA_HOST ?? METADATA_HOST
    const query = new URLSearchParams({ scopes: this.#scope }).toString()
    const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token?${query}`
    const headers = { 'metadata-flavor': 'Google' }
    try {
      return (await askJson(this.#client, { url, headers, timeoutMs: TIMEOUT_MS })).value as TokenAnswer
    } catch (cause) {
      throw new DiscoveryError('no Google credentials: no file names any, and no metadata server answers', { cause })
    }
  }

  async #userToken(file: CredentialsFile): Promise<TokenAnswer> {
    if (file.type !== 'authorized_user') {
      throw new DiscoveryError(`Google credentials of the type ${JSON.stringify(file.type)} are not supported`)
    }
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: file.client_id ?? '',
      client_secret: file.client_secret ?? '',
      refresh_token: file.refresh_token ?? '',
    })
    const request = {
      url: file.token_uri ?? TOKEN_URL,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      timeoutMs: TIMEOUT_MS,
    }
    return (await askJson(this.#client, request)).value as TokenAnswer
  }
}

function serviceAccount(file: CredentialsFile, scope: string): OAuth2Tokens {
  const issuer = file.client_email ?? ''
  const tokenUrl = file.token_uri ?? TOKEN_URL
  const jwt = {
    algorithm: 'RS256' as const,
    issuer,
    key: file.private_key ?? '',
    ...(file.private_key_id !== undefined && { keyId: file.private_key_id }),
  }
  return new OAuth2Tokens({ clientId: issuer, tokenUrl, scopes: [scope], jwt }, createHttpClient())
}

async function readCredentials(env: NodeJS.ProcessEnv): Promise<CredentialsFile | undefined> {
  const named = env.GOOGLE_APPLICATION_CREDENTIALS
  const path = named ?? join(env.HOME ?? homedir(), '.config/gcloud/application_default_credentials.json')
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (cause) {
    if (named === undefined) return undefined
    throw new DiscoveryError(`unable to read the Google credentials in ${path}`, { cause })
  }
  try {
    return JSON.parse(content) as CredentialsFile
  } catch {
    // Without the cause: its message would quote the secret.
    throw new DiscoveryError(`the Google credentials in ${path} are no JSON`)
  }
}
