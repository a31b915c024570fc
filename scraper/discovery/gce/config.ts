export interface GceSdConfig {
  readonly kind: 'gce'
  readonly project: string
  readonly zone: string
  /** In the interface's own language. */
  readonly filter?: string | undefined
  /** Default 80. */
  readonly port?: number | undefined
  /** Default `,`. */
  readonly tagSeparator?: string | undefined
  /** Default 1 minute. */
  readonly refreshIntervalMs?: number | undefined
  /** Default: the provider's. */
  readonly endpoint?: string | undefined
}
