import type { HttpKindConfig } from '../http-kind.ts'

export interface HetznerSdConfig extends HttpKindConfig {
  readonly kind: 'hetzner'
  readonly role: 'hcloud' | 'robot'
  /** Of hcloud: only servers with these labels. */
  readonly labelSelector?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** Default: the provider's. */
  readonly endpoint?: string | undefined
}
