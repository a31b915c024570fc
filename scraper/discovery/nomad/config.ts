import type { HttpKindConfig } from '../http-kind.ts'

export interface NomadSdConfig extends HttpKindConfig {
  readonly kind: 'nomad'
  /** Default `http://localhost:4646`. */
  readonly server?: string | undefined
  readonly namespace?: string | undefined
  readonly region?: string | undefined
  /** Default true. */
  readonly allowStale?: boolean | undefined
  /** Default `,`. */
  readonly tagSeparator?: string | undefined
}
