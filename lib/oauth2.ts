import { createSign, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { errorMessage } from './errors.ts'
import { type HttpClient, HttpRequestError, type HttpResponse, type OAuth2Config } from './http-client.ts'
import { basicCredentials } from './http-text.ts'

const TOKEN_TIMEOUT_MS = 30_000
// A token is renewed this long before it ends, so that no request carries one that ends on the way.
const EXPIRY_MARGIN_MS = 10_000
const TOKEN_LIFE_DEFAULT_MS = 3600_000
const SIGNERS = { RS256: 'RSA-SHA256', RS384: 'RSA-SHA384', RS512: 'RSA-SHA512' } as const

/** Access tokens of one client, fetched when needed and kept until they end or the client's secret changes. */
export class OAuth2Tokens {
  readonly #config: OAuth2Config
  readonly #client: HttpClient
  #held: { readonly secret: string; readonly token: string; readonly endsAtMs: number } | undefined
  #pending: Promise<string> | undefined

  /** @param client reaches the token's server; closed together with this */
  constructor(config: OAuth2Config, client: HttpClient) {
    this.#config = config
    this.#client = client
  }

  /** @throws {HttpRequestError} when the server gives none */
  async token(): Promise<string> {
    const { clientSecret, clientSecretFile, jwt } = this.#config
    const secret = jwt ? await textOf(jwt.key, jwt.keyFile) : await textOf(clientSecret, clientSecretFile)
    if (this.#held && this.#held.secret === secret && performance.now() < this.#held.endsAtMs) return this.#held.token
    this.#pending ??= this.#fetch(secret).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #fetch(secret: string): Promise<string> {
    const { jwt } = this.#config
    let response = await this.#post(jwt ? this.#assertionForm(secret) : this.#form(), jwt ? undefined : secret)
    // Some servers take the client's name and secret only as form fields.
    if (!jwt && (response.status === 400 || response.status === 401)) {
      const form = this.#form()
      form.set('client_id', this.#config.clientId)
      form.set('client_secret', secret)
      response = await this.#post(form, undefined)
    }
    const { token, lifeMs } = readToken(response)
    this.#held = { secret, token, endsAtMs: performance.now() + lifeMs - EXPIRY_MARGIN_MS }
    return token
  }

  #form(): URLSearchParams {
    const { scopes = [], endpointParams = {} } = this.#config
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...endpointParams })
    if (scopes.length > 0) form.set('scope', scopes.join(' '))
    return form
  }

  #assertionForm(key: string): URLSearchParams {
    const { jwt, scopes = [], endpointParams = {}, tokenUrl } = this.#config
    const nowSeconds = Math.floor(Date.now() / 1000)
    const header = { alg: jwt!.algorithm, typ: 'JWT', ...(jwt!.keyId && { kid: jwt!.keyId }) }
    const claims = {
      iss: jwt!.issuer,
      sub: jwt!.issuer,
      aud: jwt!.audience ?? tokenUrl,
      jti: randomUUID(),
      iat: nowSeconds,
      exp: nowSeconds + 3600,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...jwt!.claims,
    }
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    let signature: string
    try {
      signature = createSign(SIGNERS[jwt!.algorithm]).update(text).sign(key, 'base64url')
    } catch (error) {
      throw new HttpRequestError(`the key of the OAuth 2.0 client cannot sign: ${errorMessage(error)}`, false, {
        cause: error,
      })
    }
    return new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${text}.${signature}`,
      ...endpointParams,
    })
  }

  #post(form: URLSearchParams, secret: string | undefined): Promise<HttpResponse> {
    const { clientId, tokenUrl } = this.#config
    return this.#client.request({
      url: tokenUrl,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        ...(secret !== undefined && {
          authorization: basicCredentials(encodeURIComponent(clientId), encodeURIComponent(secret)),
        }),
      },
      body: form.toString(),
      timeoutMs: TOKEN_TIMEOUT_MS,
      bodyBytesMax: 1 << 20,
    })
  }
}

function readToken(response: HttpResponse): { token: string; lifeMs: number } {
  const text = Buffer.from(response.body).toString()
  if (response.status < 200 || response.status > 299) {
    throw new HttpRequestError(`OAuth 2.0 token server answered ${response.status}: ${text.slice(0, 200)}`, false)
  }
  let answer: { access_token?: unknown; expires_in?: unknown }
  try {
    answer = JSON.parse(text) as typeof answer
  } catch (cause) {
    throw new HttpRequestError('OAuth 2.0 token server answered no JSON', false, { cause })
  }
  if (typeof answer?.access_token !== 'string' || answer.access_token === '') {
    throw new HttpRequestError('OAuth 2.0 token server answered no access_token', false)
  }
  const seconds = Number(answer.expires_in)
  return { token: answer.access_token, lifeMs: seconds > 0 ? seconds * 1000 : TOKEN_LIFE_DEFAULT_MS }
}

async function textOf(text: string | undefined, file: string | undefined): Promise<string> {
  if (file === undefined) return text ?? ''
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new HttpRequestError(`unable to read ${file}: ${errorMessage(error)}`, false, { cause: error })
  }
}
