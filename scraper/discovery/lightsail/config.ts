import type { AwsAccount } from '../aws/aws-session.ts'
import type { HttpKindConfig } from '../http-kind.ts'

export interface LightsailSdConfig extends AwsAccount, HttpKindConfig {
  readonly kind: 'lightsail'
  /** Default 80. */
  readonly port?: number | undefined
}
