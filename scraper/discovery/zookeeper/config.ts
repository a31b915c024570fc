/** Services of a ZooKeeper ensemble, as serversets or as Nerve registers them. */
export interface ZookeeperSdConfig {
  readonly kind: 'serverset' | 'nerve'
  /** `host` or `host:port` (default 2181) each; at least one. */
  readonly servers: readonly string[]
  /** Absolute; of one service, or the root of a tree of them. */
  readonly paths: readonly string[]
  /** Of the session. Default 10 s. */
  readonly timeoutMs?: number | undefined
}
