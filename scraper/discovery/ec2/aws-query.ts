import { parseXml, XmlElement } from '@rgrove/parse-xml'
import { AwsV4Signer } from 'aws4fetch'
import type { HttpClient } from '../../../lib/index.ts'
import { DiscoveryError } from '../poll.ts'
import type { AwsCredentials } from './aws-credentials.ts'

export interface AwsQueryTarget {
  readonly url: string
  readonly region: string
  readonly service: string
  readonly credentials: AwsCredentials
}

const ANSWER_BYTES_MAX = 256 << 20

/** Sends one signed request of AWS' query protocol and reads the XML of the answer. @throws {DiscoveryError} */
export async function awsQuery(
  client: HttpClient,
  target: AwsQueryTarget,
  params: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<XmlElement> {
  const body = new URLSearchParams(params).toString()
  const signer = new AwsV4Signer({
    method: 'POST',
    url: target.url,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body,
    region: target.region,
    service: target.service,
    ...target.credentials,
  })
  const { url, headers } = await signer.sign()
  const response = await client.request({
    url: url.toString(),
    method: 'POST',
    headers: Object.fromEntries(headers.entries()),
    body,
    timeoutMs,
    bodyBytesMax: ANSWER_BYTES_MAX,
  })
  const text = Buffer.from(response.body).toString()
  if (response.status !== 200) {
    const why = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.slice(0, 200)
    throw new DiscoveryError(`${params['Action']} answered ${response.status}: ${why}`)
  }
  try {
    const { root } = parseXml(text)
    if (root) return root
  } catch (cause) {
    throw new DiscoveryError(`${params['Action']} answered no XML`, { cause })
  }
  throw new DiscoveryError(`${params['Action']} answered nothing`)
}

/** The elements of that name right below, in order. */
export const childrenOf = (element: XmlElement | undefined, name: string): XmlElement[] =>
  (element?.children ?? []).filter((child): child is XmlElement => child instanceof XmlElement && child.name === name)

/** The element at the end of a path of names. */
export const elementAt = (element: XmlElement | undefined, ...path: string[]): XmlElement | undefined =>
  path.reduce<XmlElement | undefined>((at, name) => childrenOf(at, name)[0], element)

/** The text at the end of a path of names, '' where there is none. */
export const textAt = (element: XmlElement | undefined, ...path: string[]): string =>
  elementAt(element, ...path)?.text.trim() ?? ''
