import type { AwsAccount } from '../aws/aws-session.ts'
import type { HttpKindConfig } from '../http-kind.ts'

export interface Ec2SdConfig extends AwsAccount, HttpKindConfig {
  readonly kind: 'ec2'
  /** Default 80. */
  readonly port?: number | undefined
  readonly filters?: readonly { readonly name: string; readonly values: readonly string[] }[] | undefined
}
