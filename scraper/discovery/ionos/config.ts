import type { HttpKindConfig } from '../http-kind.ts'

export interface IonosSdConfig extends HttpKindConfig {
  readonly kind: 'ionos'
  readonly datacenterId: string
  /** Default 80. */
  readonly port?: number | undefined
  /** Default: the provider's. */
  readonly endpoint?: string | undefined
}
