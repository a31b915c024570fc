import type { HttpKindConfig } from '../http-kind.ts'

export interface LinodeSdConfig extends HttpKindConfig {
  readonly kind: 'linode'
  /** Default all. */
  readonly region?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** Default `,`. */
  readonly tagSeparator?: string | undefined
  /** Default: the provider's. */
  readonly endpoint?: string | undefined
}
