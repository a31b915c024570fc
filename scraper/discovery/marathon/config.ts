import type { HttpKindConfig } from '../http-kind.ts'

export interface MarathonSdConfig extends HttpKindConfig {
  readonly kind: 'marathon'
  /** At least one; any of them is asked. */
  readonly servers: readonly string[]
  readonly authToken?: string | undefined
  /** Read at each request. */
  readonly authTokenFile?: string | undefined
}
