import type { Clock, HttpClient } from '../../../lib/index.ts'
import { askJson, DiscoveryError } from '../poll.ts'
import { askAnew } from '../unauthorized.ts'
import type { OpenStackSdConfig } from './config.ts'

const PAGE_COUNT_MAX = 1000
// A token is renewed this long before it ends.
const EXPIRY_MARGIN_MS = 300_000

interface TokenAnswer {
  readonly token?: {
    readonly expires_at?: string
    readonly catalog?: readonly {
      readonly type: string
      readonly endpoints?: readonly {
        readonly interface?: string
        readonly region?: string
        readonly region_id?: string
        readonly url: string
      }[]
    }[]
  }
}

interface Session {
  readonly token: string
  readonly endsAtMs: number
  readonly catalog: NonNullable<NonNullable<TokenAnswer['token']>['catalog']>
}

interface Page {
  readonly [key: string]: unknown
}

/** The services of a cloud, by an account of Identity API version 3. */
export class OpenStackSession {
  readonly #config: OpenStackSdConfig
  readonly #client: HttpClient
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #env: NodeJS.ProcessEnv
  #session: Session | undefined

  constructor(
    config: OpenStackSdConfig,
    peer: { client: HttpClient; timeoutMs: number; clock: Clock },
    env = process.env,
  ) {
    this.#config = config
    this.#client = peer.client
    this.#timeoutMs = peer.timeoutMs
    this.#clock = peer.clock
    this.#env = env
  }

  /**
   * All pages of a list.
   *
   * @param types by which the catalog may know the service
   * @param key of the list in the answer
   */
  list<T>(types: readonly string[], path: string, key: string): Promise<T[]> {
    return askAnew(
      () => this.#pages(types, path, key),
      () => this.#forget(),
    )
  }

  async #pages<T>(types: readonly string[], path: string, key: string): Promise<T[]> {
    const session = await this.#current()
    const found: T[] = []
    let url: string | undefined = this.#endpointOf(session, types) + path
    for (let page = 0; url !== undefined && page < PAGE_COUNT_MAX; page++) {
      const headers = { 'x-auth-token': session.token }
      const { value } = await askJson(this.#client, { url, headers, timeoutMs: this.#timeoutMs })
      const answer = value as Page
      found.push(...((answer[key] ?? []) as T[]))
      const links = (answer[`${key}_links`] ?? []) as readonly { rel: string; href: string }[]
      url = links.find(({ rel }) => rel === 'next')?.href
    }
    return found
  }

  async #current(): Promise<Session> {
    if (this.#session && this.#clock.nowMs() >= this.#session.endsAtMs) this.#session = undefined
    return (this.#session ??= await this.#authenticate())
  }

  #forget(): boolean {
    const isHeld = this.#session !== undefined
    this.#session = undefined
    return isHeld
  }

  #endpointOf({ catalog }: Session, types: readonly string[]): string {
    const { region, availability = 'public' } = this.#config
    for (const service of catalog) {
      if (!types.includes(service.type)) continue
      const endpoint = service.endpoints?.find(
        (one) => one.interface === availability && (one.region_id ?? one.region) === region,
      )
      if (endpoint) return endpoint.url.replace(/\/+$/, '')
    }
    throw new DiscoveryError(`the OpenStack catalog has no ${availability} endpoint of ${types[0]} in ${region}`)
  }

  async #authenticate(): Promise<Session> {
    const account = this.#config.identityEndpoint === undefined ? accountOfEnvironment(this.#env) : this.#config
    const endpoint = account.identityEndpoint?.replace(/\/+$/, '')
    if (!endpoint) throw new DiscoveryError('OpenStack discovery needs an identity_endpoint, or OS_AUTH_URL')
    const request = {
      url: `${endpoint.endsWith('/v3') ? endpoint : `${endpoint}/v3`}/auth/tokens`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity: identityOf(account), ...scopeOf(account) } }),
      timeoutMs: this.#timeoutMs,
    }
    const { value, headers } = await askJson(this.#client, request)
    const { token } = value as TokenAnswer
    const endsAtMs = Date.parse(token?.expires_at ?? '') - EXPIRY_MARGIN_MS
    return {
      token: headers['x-subject-token'] ?? '',
      endsAtMs: Number.isNaN(endsAtMs) ? 0 : endsAtMs,
      catalog: token?.catalog ?? [],
    }
  }
}

type Account = Omit<OpenStackSdConfig, 'kind' | 'role' | 'region'>

const accountOfEnvironment = (env: NodeJS.ProcessEnv): Account => ({
  identityEndpoint: env.OS_AUTH_URL,
  username: env.OS_USERNAME,
  userId: env.OS_USERID ?? env.OS_USER_ID,
  password: env.OS_PASSWORD,
  domainName: env.OS_USER_DOMAIN_NAME ?? env.OS_DOMAIN_NAME,
  domainId: env.OS_USER_DOMAIN_ID ?? env.OS_DOMAIN_ID,
  projectName: env.OS_PROJECT_NAME ?? env.OS_TENANT_NAME,
  projectId: env.OS_PROJECT_ID ?? env.OS_TENANT_ID,
  applicationCredentialName: env.OS_APPLICATION_CREDENTIAL_NAME,
  applicationCredentialId: env.OS_APPLICATION_CREDENTIAL_ID,
  applicationCredentialSecret: env.OS_APPLICATION_CREDENTIAL_SECRET,
})

const domainOf = ({ domainId, domainName }: Account): object =>
  domainId ? { domain: { id: domainId } } : domainName ? { domain: { name: domainName } } : {}

const userOf = (account: Account): object =>
  account.userId ? { id: account.userId } : { name: account.username, ...domainOf(account) }

function identityOf(account: Account): object {
  const { applicationCredentialSecret: secret, applicationCredentialId: id } = account
  if (secret) {
    const name = account.applicationCredentialName
    const credential = id ? { id, secret } : { name, secret, user: userOf(account) }
    return { methods: ['application_credential'], application_credential: credential }
  }
  return { methods: ['password'], password: { user: { ...userOf(account), password: account.password } } }
}

/** An application credential has its own. */
function scopeOf(account: Account): object {
  const { projectId, projectName, applicationCredentialSecret } = account
  if (applicationCredentialSecret) return {}
  if (projectId) return { scope: { project: { id: projectId } } }
  return projectName ? { scope: { project: { name: projectName, ...domainOf(account) } } } : {}
}
