import type { HttpKindConfig } from '../http-kind.ts'

export interface TritonSdConfig extends HttpKindConfig {
  readonly kind: 'triton'
  readonly account: string
  /** Default `container`. */
  readonly role?: 'container' | 'cn' | undefined
  readonly dnsSuffix: string
  /** Host name. */
  readonly endpoint: string
  /** Of containers; default all. */
  readonly groups?: readonly string[] | undefined
  /** Of the discovery and of the targets. Default 9163. */
  readonly port?: number | undefined
  /** Default 1. */
  readonly version?: number | undefined
}
