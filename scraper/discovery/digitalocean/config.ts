import type { HttpKindConfig } from '../http-kind.ts'

export interface DigitalOceanSdConfig extends HttpKindConfig {
  readonly kind: 'digitalocean'
  /** Default 80. */
  readonly port?: number | undefined
  /** Default: the provider's. */
  readonly endpoint?: string | undefined
}
