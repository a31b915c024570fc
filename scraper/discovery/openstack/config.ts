import type { HttpKindConfig } from '../http-kind.ts'

/** What is left out of the account comes from the environment's `OS_*`, where no identity endpoint is given. */
export interface OpenStackSdConfig extends HttpKindConfig {
  readonly kind: 'openstack'
  readonly role: 'hypervisor' | 'instance' | 'loadbalancer'
  readonly region: string
  readonly identityEndpoint?: string | undefined
  readonly username?: string | undefined
  readonly userId?: string | undefined
  readonly password?: string | undefined
  readonly domainName?: string | undefined
  readonly domainId?: string | undefined
  readonly projectName?: string | undefined
  readonly projectId?: string | undefined
  readonly applicationCredentialName?: string | undefined
  readonly applicationCredentialId?: string | undefined
  readonly applicationCredentialSecret?: string | undefined
  /** Default false. */
  readonly allTenants?: boolean | undefined
  /** Default `public`. */
  readonly availability?: 'public' | 'admin' | 'internal' | undefined
  /** Default 80. */
  readonly port?: number | undefined
}
