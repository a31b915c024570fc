import type { XmlElement } from '@rgrove/parse-xml'
import type { HttpClient } from '../../../lib/index.ts'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { errorMessage } from '../../../lib/index.ts'
import type { Discovery } from '../discovery.ts'
import { groupOf } from '../meta-labels.ts'
import { type DiscoveryParts, polledDiscovery } from '../poll.ts'
import { type AwsCredentials, awsCredentials, instanceRegion } from './aws-credentials.ts'
import { awsQuery, childrenOf, elementAt, textAt } from './aws-query.ts'
import type { Ec2SdConfig } from './config.ts'
import { instanceLabels } from './ec2-labels.ts'

const REFRESH_DEFAULT_MS = 60_000
const API_VERSION = '2016-11-15'
const STS_VERSION = '2011-06-15'
const PAGE_COUNT_MAX = 1000
const ROLE_SECONDS = 3600
// A role's keys are asked for anew this long before they end.
const ROLE_MARGIN_MS = 300_000

/** The instances of one region, by their private address. */
export function ec2Discovery(config: Ec2SdConfig, parts: DiscoveryParts): Discovery {
  const client = createHttpClient(config.http)
  const ec2 = new Ec2(config, client, parts)
  return polledDiscovery(
    {
      mechanism: 'ec2',
      refreshIntervalMs: config.refreshIntervalMs ?? REFRESH_DEFAULT_MS,
      refresh: () => ec2.refresh(),
      close: () => client.close(),
    },
    parts,
  )
}

class Ec2 {
  readonly #config: Ec2SdConfig
  readonly #client: HttpClient
  readonly #parts: DiscoveryParts
  readonly #timeoutMs: number
  #region: string | undefined
  #role: { readonly credentials: AwsCredentials; readonly endsAtMs: number } | undefined
  #zoneIds: ReadonlyMap<string, string> | undefined

  constructor(config: Ec2SdConfig, client: HttpClient, parts: DiscoveryParts) {
    this.#config = config
    this.#client = client
    this.#parts = parts
    this.#timeoutMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
    this.#region = config.region
  }

  async refresh() {
    const region = (this.#region ??= process.env.AWS_REGION ?? (await instanceRegion(this.#client)))
    const zoneIds = await this.#zones(region)
    const targets = []
    let token = ''
    for (let page = 0; page < PAGE_COUNT_MAX; page++) {
      const answer = await this.#ask(region, {
        Action: 'DescribeInstances',
        ...this.#filters(),
        ...(token !== '' && { NextToken: token }),
      })
      for (const reservation of childrenOf(elementAt(answer, 'reservationSet'), 'item')) {
        const ownerId = textAt(reservation, 'ownerId')
        for (const instance of childrenOf(elementAt(reservation, 'instancesSet'), 'item')) {
          const labels = instanceLabels(instance, { region, ownerId, zoneIds, port: this.#config.port ?? 80 })
          if (labels) targets.push(labels)
        }
      }
      token = textAt(answer, 'nextToken')
      if (token === '') break
    }
    return [groupOf(region, targets)]
  }

  #filters(): Record<string, string> {
    const params: Record<string, string> = {}
    for (const [i, { name, values }] of (this.#config.filters ?? []).entries()) {
      params[`Filter.${i + 1}.Name`] = name
      for (const [j, value] of values.entries()) params[`Filter.${i + 1}.Value.${j + 1}`] = value
    }
    return params
  }

  /** Ids by name; asked once, and not having the right to ask is no failure. */
  async #zones(region: string): Promise<ReadonlyMap<string, string>> {
    if (this.#zoneIds) return this.#zoneIds
    try {
      const answer = await this.#ask(region, { Action: 'DescribeAvailabilityZones', AllAvailabilityZones: 'true' })
      const zones = childrenOf(elementAt(answer, 'availabilityZoneInfo'), 'item')
      this.#zoneIds = new Map(zones.map((zone) => [textAt(zone, 'zoneName'), textAt(zone, 'zoneId')]))
    } catch (error) {
      this.#parts.logger.debug({ reason: errorMessage(error) }, 'ids of availability zones are not known')
      this.#zoneIds = new Map()
    }
    return this.#zoneIds
  }

  async #ask(region: string, params: Readonly<Record<string, string>>): Promise<XmlElement> {
    const url = this.#config.endpoint ?? `https://ec2.${region}.${domainOf(region)}/`
    const credentials = await this.#credentials(region)
    const target = { url: withScheme(url), region, service: 'ec2', credentials }
    return awsQuery(this.#client, target, { Version: API_VERSION, ...params }, this.#timeoutMs)
  }

  async #credentials(region: string): Promise<AwsCredentials> {
    const { roleArn, externalId } = this.#config
    if (this.#role && this.#role.endsAtMs > this.#parts.clock.nowMs()) return this.#role.credentials
    const own = await awsCredentials(this.#config, this.#client, process.env)
    if (roleArn === undefined) return own
    const url = process.env.AWS_ENDPOINT_URL_STS ?? `https://sts.${region}.${domainOf(region)}/`
    const answer = await awsQuery(
      this.#client,
      { url, region, service: 'sts', credentials: own },
      {
        Action: 'AssumeRole',
        Version: STS_VERSION,
        RoleArn: roleArn,
        RoleSessionName: 'belltower',
        DurationSeconds: String(ROLE_SECONDS),
        ...(externalId !== undefined && { ExternalId: externalId }),
      },
      this.#timeoutMs,
    )
    const keys = elementAt(answer, 'AssumeRoleResult', 'Credentials')
    const credentials = {
      accessKeyId: textAt(keys, 'AccessKeyId'),
      secretAccessKey: textAt(keys, 'SecretAccessKey'),
      sessionToken: textAt(keys, 'SessionToken'),
    }
    this.#role = { credentials, endsAtMs: this.#parts.clock.nowMs() + ROLE_SECONDS * 1000 - ROLE_MARGIN_MS }
    return credentials
  }
}

const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com')
const withScheme = (url: string): string => (/^https?:\/\//.test(url) ? url : `https://${url}`)
