import type { Notification } from '../notifier.ts'

export interface SmsMessage {
  readonly to: string
  readonly text: string
  readonly notification: Notification
  readonly timeoutMs: number
}

/** A provider's way to take one SMS to one number. */
export interface SmsGateway {
  /** Longest text that the provider takes, in characters. */
  readonly charsMax: number
  /** @returns the provider's id of the message @throws {DeliveryError} */
  send(message: SmsMessage): Promise<string>
  close(): Promise<void>
}
