import { errorMessage } from '../../lib/index.ts'
import { DeliveryError, type DeliveryProgress } from './notifier.ts'
import { finalFailure } from './service.ts'

export interface RecipientsOutcome {
  /** What the provider called each message. */
  readonly ids: readonly string[]
  /** Who was not reached for good, though somebody was; '' = nobody. */
  readonly warning: string
}

/**
 * Serves recipients one after the other and remembers who was served. Recipients who may still be reached make it an attempt
 * to repeat. Of the rest one who was reached is enough: repeating would page that one again for as long as another's number
 * is wrong.
 *
 * @throws {DeliveryError}
 */
export async function serveEach(
  recipients: readonly string[],
  progress: DeliveryProgress,
  serve: (recipient: string) => Promise<string>,
): Promise<RecipientsOutcome> {
  if (recipients.length === 0) throw finalFailure('there is no recipient')
  const ids: string[] = []
  const failures: DeliveryError[] = []
  for (const recipient of recipients) {
    if (progress.isDone(recipient)) continue
    try {
      ids.push(await serve(recipient))
      await progress.done(recipient)
    } catch (thrown) {
      failures.push(asRecipientError(recipient, thrown))
    }
  }
  if (failures.length === 0) return { ids, warning: '' }
  const retryable = failures.find((failure) => failure.retryable)
  const message = failures.map((failure) => failure.message).join('; ')
  if (!retryable && recipients.some((recipient) => progress.isDone(recipient))) return { ids, warning: message }
  const { reason, retryAfterMs } = retryable ?? failures[0]!
  throw new DeliveryError(message, { reason, retryable: retryable !== undefined, retryAfterMs })
}

function asRecipientError(recipient: string, thrown: unknown): DeliveryError {
  const known = thrown instanceof DeliveryError ? thrown : undefined
  return new DeliveryError(
    `${recipient}: ${errorMessage(thrown)}`,
    { reason: known?.reason ?? 'other', retryable: known?.retryable ?? false, retryAfterMs: known?.retryAfterMs },
    { cause: thrown },
  )
}

/** Each text may name several, with commas between them. */
export const recipientList = (texts: readonly string[]): string[] => [
  ...new Set(
    texts
      .flatMap((text) => text.split(','))
      .map((recipient) => recipient.trim())
      .filter((recipient) => recipient !== ''),
  ),
]
