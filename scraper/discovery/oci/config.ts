import type { HttpKindConfig } from '../http-kind.ts'

export interface OciSdConfig extends HttpKindConfig {
  readonly kind: 'oci'
  /** Default `api_key`. */
  readonly auth?: 'api_key' | 'instance_principal' | undefined
  readonly tenancy?: string | undefined
  readonly user?: string | undefined
  readonly fingerprint?: string | undefined
  readonly keyFile?: string | undefined
  readonly keyPassphrase?: string | undefined
  readonly keyPassphraseFile?: string | undefined
  readonly region: string
  /** Default: all below the tenancy. */
  readonly compartments?: readonly string[] | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** Default: the provider's, by service (`identity`, `iaas`, `auth`). */
  readonly endpointOf?: ((service: string) => string) | undefined
  /** Where an instance finds its own certificate. Default: the provider's. */
  readonly metadataUrl?: string | undefined
}
