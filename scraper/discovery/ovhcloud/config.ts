export interface OvhCloudSdConfig {
  readonly kind: 'ovhcloud'
  readonly service: 'vps' | 'dedicated_server'
  /** A name such as `ovh-eu`, or a URL. Default `ovh-eu`. */
  readonly endpoint?: string | undefined
  readonly applicationKey: string
  readonly applicationSecret: string
  readonly consumerKey: string
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
}
