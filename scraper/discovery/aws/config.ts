import type { HttpKindConfig } from '../http-kind.ts'
import type { AwsAccount } from './aws-session.ts'

export interface AwsSdConfig extends AwsAccount, HttpKindConfig {
  readonly kind: 'aws'
  readonly role: 'ec2' | 'ecs' | 'elasticache' | 'lightsail' | 'msk' | 'rds'
  /** Default 80. */
  readonly port?: number | undefined
  /** Of `ec2` and `rds`. */
  readonly filters?: readonly { readonly name: string; readonly values: readonly string[] }[] | undefined
  /** ARNs; default all. */
  readonly clusters?: readonly string[] | undefined
}
