import type { NotificationEvent } from '../history.ts'
import type { Receipts } from './receipts.ts'

/** A notification that a provider took and then delivered to nobody has failed. */
export function withReceipts(event: NotificationEvent, receipts: Receipts): NotificationEvent {
  if (!event.messageIds?.length || event.outcome === 'failed') return event
  const where = `${event.receiver}/${event.integration}/${event.index}`
  const known = event.messageIds.map((id) => receipts.get(where, id))
  if (!known.every((receipt) => receipt?.outcome === 'undelivered')) return event
  const error = known.map((receipt) => `${receipt!.recipient}: not delivered: ${receipt!.detail}`).join('; ')
  return { ...event, outcome: 'failed', error }
}
