import type { HttpKindConfig } from '../http-kind.ts'

export interface UyuniSdConfig extends HttpKindConfig {
  readonly kind: 'uyuni'
  readonly server: string
  readonly username: string
  readonly password: string
  /** Default `monitoring_entitled`. */
  readonly entitlement?: string | undefined
  /** Between the names of groups. Default `,`. */
  readonly separator?: string | undefined
}
