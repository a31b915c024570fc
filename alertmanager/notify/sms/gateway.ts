import type { Notification } from '../notifier.ts'
import type { ReceiptSource } from '../receipts/receipt.ts'

export interface SmsMessage {
  readonly to: string
  readonly text: string
  readonly notification: Notification
  readonly timeoutMs: number
  /** Where the provider is to tell what becomes of it; `undefined` = it need not. */
  readonly receiptUrl: string | undefined
}

/** A provider's way to take one SMS to one number. */
export interface SmsGateway {
  /** Longest text that the provider takes, in characters. */
  readonly charsMax: number
  /** @returns the provider's id of the message @throws {DeliveryError} */
  send(message: SmsMessage): Promise<string>
  close(): Promise<void>
  /** How it says what became of a message, where it does. */
  readonly receipts?: ReceiptSource
}
