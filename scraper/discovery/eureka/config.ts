import type { HttpKindConfig } from '../http-kind.ts'

export interface EurekaSdConfig extends HttpKindConfig {
  readonly kind: 'eureka'
  /** Up to and without `/apps`. */
  readonly server: string
}
