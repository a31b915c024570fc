import type { HttpClientConfig } from '../../../lib/index.ts'

export interface Ec2SdConfig {
  readonly kind: 'ec2'
  /** Default: the region of the instance this runs on. */
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly accessKey?: string | undefined
  readonly secretKey?: string | undefined
  readonly profile?: string | undefined
  readonly roleArn?: string | undefined
  readonly externalId?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
  readonly filters?: readonly { readonly name: string; readonly values: readonly string[] }[] | undefined
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
  readonly http?: HttpClientConfig | undefined
}
