import type { HttpClientConfig } from '../../../lib/index.ts'

export interface ConsulSdConfig {
  readonly kind: 'consul'
  /** Default `localhost:8500`. */
  readonly server?: string | undefined
  /** Default `http`. */
  readonly scheme?: 'http' | 'https' | undefined
  readonly pathPrefix?: string | undefined
  readonly token?: string | undefined
  readonly datacenter?: string | undefined
  readonly namespace?: string | undefined
  readonly partition?: string | undefined
  /** Default `,`. */
  readonly tagSeparator?: string | undefined
  /** Default true. */
  readonly allowStale?: boolean | undefined
  /** Default all. */
  readonly services?: readonly string[] | undefined
  /** A service must carry all of them. */
  readonly tags?: readonly string[] | undefined
  readonly nodeMeta?: Readonly<Record<string, string>> | undefined
  /** Filter expression of the catalogue. */
  readonly filter?: string | undefined
  /** Filter expression of a service's instances. */
  readonly healthFilter?: string | undefined
  /** Shortest time between two questions about the same thing. Default 30 seconds. */
  readonly refreshIntervalMs?: number | undefined
  readonly http?: HttpClientConfig | undefined
}
