import type { HttpKindConfig } from '../http-kind.ts'

export interface ScalewaySdConfig extends HttpKindConfig {
  readonly kind: 'scaleway'
  readonly role: 'instance' | 'baremetal'
  readonly projectId: string
  readonly accessKey: string
  readonly secretKey?: string | undefined
  /** Read at each request. */
  readonly secretKeyFile?: string | undefined
  /** Default `fr-par-1`. */
  readonly zone?: string | undefined
  readonly nameFilter?: string | undefined
  readonly tagsFilter?: readonly string[] | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** Default: the provider's. */
  readonly apiUrl?: string | undefined
}
