import type { HttpKindConfig } from '../http-kind.ts'

export interface StackitSdConfig extends HttpKindConfig {
  readonly kind: 'stackit'
  readonly project: string
  /** Default `eu01`. */
  readonly region?: string | undefined
  /** Default: the region's. */
  readonly endpoint?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** JSON of a service account's key; takes the place of credentials in `http`. */
  readonly serviceAccountKey?: string | undefined
  readonly serviceAccountKeyFile?: string | undefined
  /** PEM; default: the one inside the key. */
  readonly privateKey?: string | undefined
  readonly privateKeyFile?: string | undefined
  /** JSON that names the files of both. */
  readonly credentialsFile?: string | undefined
  /** Default: the provider's. */
  readonly tokenUrl?: string | undefined
}
