import type { HttpClient } from '../../../lib/index.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { askJson, DiscoveryError } from '../poll.ts'
import { secretText } from '../secret-file.ts'
import type { AzureCloud } from './azure-cloud.ts'
import type { AzureSdConfig } from './config.ts'

const METADATA_URL = 'http://169.254.169.254/metadata/identity/oauth2/token'
const METADATA_VERSION = '2018-02-01'
const TIMEOUT_MS = 30_000
// A token is renewed this long before it ends.
const EXPIRY_MARGIN_MS = 60_000
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Access tokens for the resource manager, by the configured way. */
export class AzureTokens {
  readonly #config: AzureSdConfig
  readonly #cloud: AzureCloud
  readonly #env: NodeJS.ProcessEnv
  // Credentials in the `http_config` are for the resource manager, not for who gives out tokens.
  readonly #client: HttpClient
  #held: { readonly token: string; readonly endsAtMs: number } | undefined

  constructor(config: AzureSdConfig, cloud: AzureCloud, env: NodeJS.ProcessEnv = process.env) {
    this.#config = config
    this.#cloud = cloud
    this.#env = env
    const { basicAuth: _basic, authorization: _authorization, oauth2: _oauth2, ...transport } = config.http ?? {}
    this.#client = createHttpClient(transport)
  }

  /** @throws {DiscoveryError} @throws {HttpRequestError} */
  async token(): Promise<string> {
    if (this.#held && performance.now() < this.#held.endsAtMs) return this.#held.token
    this.#held = undefined
    const answer = await this.#ask()
    const lifeMs = (Number(answer.expires_in) || 3600) * 1000
    this.#held = { token: answer.access_token, endsAtMs: performance.now() + lifeMs - EXPIRY_MARGIN_MS }
    return answer.access_token
  }

  /** Drops the token that is held; whether there was one. */
  forget(): boolean {
    const isHeld = this.#held !== undefined
    this.#held = undefined
    return isHeld
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #ask(): Promise<TokenAnswer> {
    const { authenticationMethod: method = 'OAuth', tenantId, clientId, clientSecret } = this.#config
    const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE } = this.#env
    switch (method) {
      case 'OAuth':
        return this.#byForm(tenantId, { client_id: clientId ?? '', client_secret: clientSecret ?? '' })
      case 'ManagedIdentity':
        return this.#ofMachine(clientId)
      case 'WorkloadIdentity':
        return this.#byFederation()
      case 'SDK':
        if (AZURE_CLIENT_SECRET) {
          return this.#byForm(AZURE_TENANT_ID, {
            client_id: AZURE_CLIENT_ID ?? '',
            client_secret: AZURE_CLIENT_SECRET,
          })
        }
        return AZURE_FEDERATED_TOKEN_FILE ? this.#byFederation() : this.#ofMachine(AZURE_CLIENT_ID)
    }
  }

  async #byFederation(): Promise<TokenAnswer> {
    const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE: file } = this.#env
    if (!file) throw new DiscoveryError('workload identity needs AZURE_FEDERATED_TOKEN_FILE')
    return this.#byForm(AZURE_TENANT_ID ?? this.#config.tenantId, {
      client_id: AZURE_CLIENT_ID ?? this.#config.clientId ?? '',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await secretText(undefined, file),
    })
  }

  async #byForm(tenant: string | undefined, form: Readonly<Record<string, string>>): Promise<TokenAnswer> {
    const login = this.#config.loginEndpoint ?? this.#cloud.login
    const scope = `${this.#cloud.resourceManager}/.default`
    return this.#json({
      url: `${login}/${encodeURIComponent(tenant ?? '')}/oauth2/v2.0/token`,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope, ...form }).toString(),
    })
  }

  #ofMachine(clientId: string | undefined): Promise<TokenAnswer> {
    const query = new URLSearchParams({
      'api-version': METADATA_VERSION,
      resource: this.#cloud.resourceManager,
      ...(clientId && { client_id: clientId }),
    })
    const url = `${this.#env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? METADATA_URL}?${query.toString()}`
    return this.#json({ url, headers: { metadata: 'true' } })
  }

  async #json(request: Omit<Parameters<typeof askJson>[1], 'timeoutMs'>): Promise<TokenAnswer> {
    return (await askJson(this.#client, { ...request, timeoutMs: TIMEOUT_MS })).value as TokenAnswer
  }
}

interface TokenAnswer {
  readonly access_token: string
  readonly expires_in?: number | string
}
