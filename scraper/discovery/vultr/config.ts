import type { HttpKindConfig } from '../http-kind.ts'

export interface VultrSdConfig extends HttpKindConfig {
  readonly kind: 'vultr'
  /** Default 80. */
  readonly port?: number | undefined
  /** Default: the provider's. */
  readonly endpoint?: string | undefined
}
