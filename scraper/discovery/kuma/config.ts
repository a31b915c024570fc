import type { HttpKindConfig } from '../http-kind.ts'

export interface KumaSdConfig extends HttpKindConfig {
  readonly kind: 'kuma'
  /** Address of the control plane's monitoring assignments. */
  readonly server: string
  /** Default: this host's name. */
  readonly clientId?: string | undefined
  /** How long the server may hold an answer back until there is news. Default 2 minutes. */
  readonly fetchTimeoutMs?: number | undefined
}
