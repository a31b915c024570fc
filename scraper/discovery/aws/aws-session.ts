import type { XmlElement } from '@rgrove/parse-xml'
import { AwsV4Signer } from 'aws4fetch'
import type { Clock, HttpClient } from '../../../lib/index.ts'
import { DiscoveryError } from '../poll.ts'
import { elementAt, textAt, xmlRoot } from '../xml.ts'
import { type AwsCredentials, awsCredentials, instanceRegion } from './aws-credentials.ts'

/** Which account and region, and how to prove who asks. */
export interface AwsAccount {
  /** Default: the region of the instance this runs on. */
  readonly region?: string | undefined
  /** Default: the service's own in the region. */
  readonly endpoint?: string | undefined
  readonly accessKey?: string | undefined
  readonly secretKey?: string | undefined
  readonly profile?: string | undefined
  readonly roleArn?: string | undefined
  readonly externalId?: string | undefined
}

interface SignedRequest {
  readonly service: string
  /** Path and query below the endpoint. */
  readonly path?: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const ANSWER_BYTES_MAX = 256 << 20
const STS_VERSION = '2011-06-15'
const ROLE_SECONDS = 3600
// A role's keys are asked for anew this long before they end.
const ROLE_MARGIN_MS = 300_000
// Other services say by these with other statuses what EC2 says with 401.
const REFUSED =
  /\b(ExpiredToken|ExpiredTokenException|InvalidClientTokenId|UnrecognizedClientException|RequestExpired)\b/
const FORM_TYPE = 'application/x-www-form-urlencoded; charset=utf-8'

/** The keys that a question was signed with are not known, or not any more. */
class KeysRefusedError extends DiscoveryError {}

/** Signed questions to the services of one region. */
export class AwsSession {
  readonly #account: AwsAccount
  readonly #client: HttpClient
  readonly #clock: Clock
  readonly #timeoutMs: number
  #region: string | undefined
  #role: { readonly credentials: AwsCredentials; readonly endsAtMs: number } | undefined

  constructor(account: AwsAccount, parts: { client: HttpClient; clock: Clock; timeoutMs: number }) {
    this.#account = account
    this.#client = parts.client
    this.#clock = parts.clock
    this.#timeoutMs = parts.timeoutMs
    this.#region = account.region
  }

  /** @throws {DiscoveryError} where none is configured and no instance knows one */
  async region(): Promise<string> {
    return (this.#region ??= process.env.AWS_REGION ?? (await instanceRegion(this.#client)))
  }

  /** The query protocol: form in, XML out. @throws {DiscoveryError} */
  async query(service: string, params: Readonly<Record<string, string>>): Promise<XmlElement> {
    const body = new URLSearchParams(params).toString()
    const text = await this.#ask({ service, method: 'POST', headers: { 'content-type': FORM_TYPE }, body })
    return xmlRoot(text, params['Action'] ?? service)
  }

  /** The JSON protocol. @param target service version and operation @throws {DiscoveryError} */
  async json<T>(service: string, target: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }
    return parseJson(await this.#ask({ service, method: 'POST', headers, body: JSON.stringify(body) }), target) as T
  }

  /** A REST interface. @throws {DiscoveryError} */
  async get<T>(service: string, path: string): Promise<T> {
    return parseJson(await this.#ask({ service, method: 'GET', headers: {}, path }), path) as T
  }

  /** A REST interface that takes JSON. @throws {DiscoveryError} */
  async post<T>(service: string, path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    const request = { service, method: 'POST', headers, path, body: JSON.stringify(body) } as const
    return parseJson(await this.#ask(request), path) as T
  }

  /** Keys of the role where one is named, else the account's own. @throws {DiscoveryError} */
  async credentials(region: string): Promise<AwsCredentials> {
    const { roleArn, externalId } = this.#account
    if (this.#role && this.#role.endsAtMs > this.#clock.nowMs()) return this.#role.credentials
    const own = await awsCredentials(this.#account, this.#client, process.env)
    if (roleArn === undefined) return own
    const form = {
      Action: 'AssumeRole',
      Version: STS_VERSION,
      RoleArn: roleArn,
      RoleSessionName: 'belltower',
      DurationSeconds: String(ROLE_SECONDS),
      ...(externalId !== undefined && { ExternalId: externalId }),
    }
    const url = process.env.AWS_ENDPOINT_URL_STS ?? `https://sts.${region}.${domainOf(region)}/`
    const text = await this.#send(url, region, own, {
      service: 'sts',
      method: 'POST',
      headers: { 'content-type': FORM_TYPE },
      body: new URLSearchParams(form).toString(),
    })
    const keys = elementAt(xmlRoot(text, 'AssumeRole'), 'AssumeRoleResult', 'Credentials')
    const credentials = {
      accessKeyId: textAt(keys, 'AccessKeyId'),
      secretAccessKey: textAt(keys, 'SecretAccessKey'),
      sessionToken: textAt(keys, 'SessionToken'),
    }
    this.#role = { credentials, endsAtMs: this.#clock.nowMs() + ROLE_SECONDS * 1000 - ROLE_MARGIN_MS }
    return credentials
  }

  async #ask(request: SignedRequest): Promise<string> {
    const region = await this.region()
    const base = withScheme(this.#account.endpoint ?? `${request.service}.${region}.${domainOf(region)}`)
    const url = base.replace(/\/+$/, '') + (request.path ?? '/')
    const keys = await this.credentials(region)
    try {
      return await this.#send(url, region, keys, request)
    } catch (error) {
      if (!(error instanceof KeysRefusedError) || this.#account.roleArn === undefined) throw error
      // The role may have been withdrawn from these keys before they end.
      if (this.#role?.credentials === keys) this.#role = undefined
      return this.#send(url, region, await this.credentials(region), request)
    }
  }

  async #send(at: string, region: string, credentials: AwsCredentials, request: SignedRequest): Promise<string> {
    const { service, method, body } = request
    const signer = new AwsV4Signer({
      method,
      url: at,
      headers: { ...request.headers },
      ...(body !== undefined && { body }),
      region,
      service,
      ...credentials,
    })
    const { url, headers } = await signer.sign()
    const response = await this.#client.request({
      url: url.toString(),
      method,
      headers: Object.fromEntries(headers.entries()),
      ...(body !== undefined && { body }),
      timeoutMs: this.#timeoutMs,
      bodyBytesMax: ANSWER_BYTES_MAX,
    })
    const text = Buffer.from(response.body).toString()
    if (response.status === 200) return text
    const why = /<Message>([^<]*)<\/Message>|"[mM]essage"\s*:\s*"([^"]*)"/.exec(text)
    const message = `${service} answered ${response.status}: ${why?.[1] ?? why?.[2] ?? text.slice(0, 200)}`
    const isRefused = response.status === 401 || REFUSED.test(text)
    throw new (isRefused ? KeysRefusedError : DiscoveryError)(message, { status: response.status })
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new DiscoveryError(`${what} answered no JSON`, { cause })
  }
}

const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com')
const withScheme = (url: string): string => (/^https?:\/\//.test(url) ? url : `https://${url}`)
