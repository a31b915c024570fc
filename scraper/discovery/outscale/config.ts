import type { HttpKindConfig } from '../http-kind.ts'

export interface OutscaleSdConfig extends HttpKindConfig {
  readonly kind: 'outscale'
  /** Default `eu-west-2`. */
  readonly region?: string | undefined
  readonly accessKey: string
  readonly secretKey?: string | undefined
  /** Read at each request. */
  readonly secretKeyFile?: string | undefined
  /** Default: the region's. */
  readonly endpoint?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
}
