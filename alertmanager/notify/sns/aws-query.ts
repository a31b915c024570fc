import type { HttpResponse } from '../../../lib/index.ts'
import { shown } from '../http-delivery.ts'
import { DeliveryError, type FailureReason, type Notification } from '../notifier.ts'
import type { Service } from '../service.ts'
import type { AwsCredentials } from './aws-credentials.ts'

export interface AwsRequest {
  readonly url: string
  readonly service: 'sns' | 'sts'
  readonly region: string
  readonly credentials: AwsCredentials
  /** `Action`, `Version` and the action's own parameters. */
  readonly parameters: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

const THROTTLED = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled)/
const AUTH =
  /^(InvalidClientTokenId|SignatureDoesNotMatch|AuthorizationError|AccessDenied|MissingAuthenticationToken|ExpiredToken|IncompleteSignature)/
const PASSING = /^(InternalError|InternalFailure|ServiceUnavailable|RequestExpired)/

/** One signed call of AWS' query protocol. Resolves to its XML. @throws {DeliveryError} */
export async function awsQuery(service: Service, notification: Notification, request: AwsRequest): Promise<string> {
  const { url, credentials } = request
  const body = new URLSearchParams(request.parameters).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  // Loaded with the first message: most processes never sign one.
  const { AwsV4Signer } = await import('aws4fetch')
  const signed = await new AwsV4Signer({
    method: 'POST',
    url,
    headers,
    body,
    ...credentials,
    service: request.service,
    region: request.region,
    datetime: new Date(service.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  }).sign()
  const response = await service
    .call(notification, {
      url,
      headers: Object.fromEntries(signed.headers),
      body,
      secrets: [credentials.secretAccessKey, credentials.sessionToken ?? ''],
      explain,
      ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    })
    .catch((error: unknown) => {
      throw classified(error)
    })
  return Buffer.from(response.body).toString('utf8')
}

/** The text of the first element of this name. */
export function xmlText(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return text?.replace(/&(lt|gt|quot|apos|amp);/g, (_all, entity: string) => ENTITIES[entity]!)
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function explain(response: HttpResponse): string {
  const xml = Buffer.from(response.body).toString('utf8')
  const code = xmlText(xml, 'Code')
  return code === undefined ? shown(response) : `${code}: ${xmlText(xml, 'Message') ?? ''}`
}

/** The code says more than the status: throttling comes as 400, too. */
function classified(error: unknown): unknown {
  if (!(error instanceof DeliveryError)) return error
  const code = /^unexpected status code \d+: (\w+):/.exec(error.message)?.[1] ?? ''
  const passing = PASSING.test(code)
  const reason: FailureReason = THROTTLED.test(code) ? 'rateLimited' : AUTH.test(code) ? 'authError' : error.reason
  return new DeliveryError(error.message, {
    reason,
    retryable: error.retryable || passing || THROTTLED.test(code),
    retryAfterMs: error.retryAfterMs,
  })
}
