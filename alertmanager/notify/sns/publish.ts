import { notItsAnswer } from '../http-delivery.ts'
import type { Notification } from '../notifier.ts'
import { finalFailure, type Service } from '../service.ts'
import { type AwsCredentials, awsCredentials, awsRegion, type AwsSettings } from './aws-credentials.ts'
import { awsQuery, xmlText } from './aws-query.ts'

export interface Sigv4Settings extends AwsSettings {
  readonly role_arn?: string | undefined
  readonly external_id?: string | undefined
  readonly use_fips_sts_endpoint?: boolean | undefined
}

const SESSION_RENEW_BEFORE_MS = 5 * 60_000

/** Publishes to SNS with the keys, the profile or the role that the settings name. */
export class SnsPublisher {
  readonly #service: Service
  readonly #settings: Sigv4Settings
  #session: { readonly credentials: AwsCredentials; readonly endsAtMs: number } | undefined

  constructor(service: Service, settings: Sigv4Settings = {}) {
    this.#service = service
    this.#settings = settings
  }

  /**
   * @param endpoint '' = AWS' own for the region
   * @param parameters of the action Publish
   * @returns the message's id
   * @throws {DeliveryError}
   */
  async publish(
    notification: Notification,
    endpoint: string,
    parameters: Readonly<Record<string, string>>,
    timeoutMs?: number,
  ): Promise<string> {
    const region = awsRegion(this.#settings, process.env)
    const xml = await awsQuery(this.#service, notification, {
      url: endpoint || `https://sns.${region}.amazonaws.com/`,
      service: 'sns',
      region,
      credentials: await this.#credentials(notification, region),
      parameters: { Action: 'Publish', Version: '2010-03-31', ...parameters },
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
    const id = xmlText(xml, 'MessageId')
    if (id !== undefined) return id
    const body = Buffer.from(xml)
    throw notItsAnswer({ status: 200, headers: {}, body }, 'a MessageId')
  }

  async #credentials(notification: Notification, region: string): Promise<AwsCredentials> {
    const own = await awsCredentials(this.#settings, process.env)
    const { role_arn, external_id, use_fips_sts_endpoint } = this.#settings
    if (!role_arn) return own
    if (this.#session && this.#session.endsAtMs - SESSION_RENEW_BEFORE_MS > this.#service.nowMs())
      return this.#session.credentials
    const host = `sts${use_fips_sts_endpoint ? '-fips' : ''}.${region}.amazonaws.com`
    const xml = await awsQuery(this.#service, notification, {
      url: process.env['AWS_ENDPOINT_URL_STS'] ?? `https://${host}/`,
      service: 'sts',
      region,
      credentials: own,
      parameters: {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: role_arn,
        RoleSessionName: 'belltower',
        ...(external_id && { ExternalId: external_id }),
      },
    })
    this.#session = sessionOf(xml)
    return this.#session.credentials
  }
}

function sessionOf(xml: string): { credentials: AwsCredentials; endsAtMs: number } {
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ].map((name) => xmlText(xml, name))
  if (!accessKeyId || !secretAccessKey || !sessionToken)
    throw finalFailure('AssumeRole answered without credentials', 'authError')
  return {
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    endsAtMs: Date.parse(expiration ?? '') || 0,
  }
}

/** `MessageAttributes.entry.N.…` for texts by name. */
export function messageAttributes(texts: Readonly<Record<string, string>>): Record<string, string> {
  const parameters: Record<string, string> = {}
  Object.entries(texts).forEach(([name, value], i) => {
    const prefix = `MessageAttributes.entry.${i + 1}`
    parameters[`${prefix}.Name`] = name
    parameters[`${prefix}.Value.DataType`] = 'String'
    parameters[`${prefix}.Value.StringValue`] = value
  })
  return parameters
}
