import { AppError } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { StoredAlert } from '../alert/stored-alert.ts'
import type { NotificationReason } from './notification-log.ts'
import type { ReceiptSource } from './receipts/receipt.ts'

export type FailureReason =
  | 'clientError'
  | 'serverError'
  | 'authError'
  | 'rateLimited'
  | 'contextCanceled'
  | 'contextDeadlineExceeded'
  | 'undelivered'
  | 'other'

/** An attempt that failed, and whether trying again can help. The message never holds a secret. */
export class DeliveryError extends AppError {
  override readonly code = 'ERR_NOTIFY_DELIVERY'
  override readonly httpStatus = 502
  readonly reason: FailureReason
  readonly retryable: boolean
  /** The other side asked for this pause. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    facts: { reason: FailureReason; retryable: boolean; retryAfterMs?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.reason = facts.reason
    this.retryable = facts.retryable
    this.retryAfterMs = facts.retryAfterMs
  }
}

export interface NotifiedAlert {
  readonly alert: StoredAlert
  readonly resolved: boolean
}

/** One message to one receiver's integration: what is to be told. */
export interface Notification {
  readonly receiver: string
  readonly groupKey: string
  readonly groupLabels: Labels
  /** From the route, templates already filled in. */
  readonly routeLabels: Labels
  readonly alerts: readonly NotifiedAlert[]
  readonly reason: NotificationReason
  readonly externalUrl: string
  /** What the integration gave back when it last told about the group: an id of the message that it may change. */
  readonly receiverData?: ReceiverData
  /** In place of the recipients that the integration is configured with: whoever is on call. */
  readonly recipients?: readonly string[]
  /** To be called for each message whose arrival the provider tells later, as soon as it was taken. */
  readonly onTaken?: (message: SentMessage) => void
  /** Further fields of the templates' data. */
  readonly extra?: Readonly<Record<string, string>>
  /** Attempts must not last beyond it. */
  readonly deadlineMs: number
}

export type ReceiverData = Readonly<Record<string, string>>

/** Remembers over retries, and over restarts, which of several recipients have been served. */
export interface DeliveryProgress {
  isDone(recipient: string): boolean
  /** Durable when it resolves. */
  done(recipient: string): Promise<void>
}

export interface DeliveryResult {
  /** What the other side answered, in a few words: an id, a status. */
  readonly detail: string
  /** Set when it was delivered, but not to everybody. */
  readonly warning?: string
  /** Kept for the group's next notification; absent = what is kept stays. */
  readonly receiverData?: ReceiverData
}

/** A message as its provider knows it. */
export interface SentMessage {
  readonly id: string
  readonly recipient: string
}

/** The way out to one service. Stateless between calls, so that a retry is a fresh attempt. */
export interface Notifier {
  /** @throws {DeliveryError} anything else thrown counts as permanent */
  send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult>
  close(): Promise<void>
  /** `undefined` = what becomes of a message after the service has taken it is not known. */
  readonly receipts?: ReceiptSource | undefined
}

/** A notifier in its place: `receiver/name/index`. */
export interface Integration {
  readonly receiver: string
  readonly name: string
  readonly index: number
  readonly sendResolved: boolean
  readonly notifier: Notifier
}
