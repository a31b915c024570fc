import type { HttpKindConfig } from '../http-kind.ts'

export interface AzureSdConfig extends HttpKindConfig {
  readonly kind: 'azure'
  /** Default `AzurePublicCloud`. */
  readonly environment?: string | undefined
  /** Default `OAuth`. */
  readonly authenticationMethod?: 'OAuth' | 'ManagedIdentity' | 'SDK' | 'WorkloadIdentity' | undefined
  readonly subscriptionId: string
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  /** Default all. */
  readonly resourceGroup?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** Of the resource manager; default: the environment's. */
  readonly endpoint?: string | undefined
  /** Where tokens are given out; default: the environment's. */
  readonly loginEndpoint?: string | undefined
}
