import type { HttpClientConfig } from '../../../lib/index.ts'

export interface DockerFilter {
  readonly name: string
  readonly values: readonly string[]
}

/** How a Docker daemon is reached and asked. */
export interface DockerApiConfig {
  /** `unix:///var/run/docker.sock`, `http://…`, `https://…` or `tcp://…`. */
  readonly host: string
  readonly http?: HttpClientConfig | undefined
  readonly filters?: readonly DockerFilter[] | undefined
}

export interface DockerSdConfig extends DockerApiConfig {
  readonly kind: 'docker'
  /** For containers that expose none. Default 80. */
  readonly port?: number | undefined
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
  /** Default `localhost`. */
  readonly hostNetworkingHost?: string | undefined
  /** Default true. */
  readonly matchFirstNetwork?: boolean | undefined
}
