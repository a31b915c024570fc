export type DnsRecordType = 'SRV' | 'A' | 'AAAA' | 'MX' | 'NS'

export interface DnsSdConfig {
  readonly kind: 'dns'
  readonly names: readonly string[]
  /** Default SRV. */
  readonly type?: DnsRecordType | undefined
  /** For every type but SRV, whose records say it. */
  readonly port?: number | undefined
  /** Default 30 seconds. */
  readonly refreshIntervalMs?: number | undefined
  /** `address:port` of name servers; default: those of the system. */
  readonly servers?: readonly string[] | undefined
  /** Says how short names are completed; default: the system's. */
  readonly resolvConf?: string | undefined
}
