import type { HttpKindConfig } from '../http-kind.ts'

export interface PuppetDbSdConfig extends HttpKindConfig {
  readonly kind: 'puppetdb'
  readonly url: string
  /** In PQL. */
  readonly query: string
  /** Default false: parameters may hold secrets. */
  readonly includeParameters?: boolean | undefined
  /** Default 80. */
  readonly port?: number | undefined
}
