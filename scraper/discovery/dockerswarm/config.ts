import type { DockerApiConfig } from '../docker/config.ts'

export interface DockerSwarmSdConfig extends DockerApiConfig {
  readonly kind: 'dockerswarm'
  readonly role: 'services' | 'tasks' | 'nodes'
  /** For nodes, and for what publishes none. Default 80. */
  readonly port?: number | undefined
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
}
