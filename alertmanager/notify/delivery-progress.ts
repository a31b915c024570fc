import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { DeliveryProgress } from './notifier.ts'

const PUT = 'delivering'
const GONE = 'delivering-gone'

interface Pending {
  /** What is being told; another content starts from nobody served. */
  readonly contentId: string
  readonly recipients: Set<string>
}

/** Notifications under way that have reached some of their recipients. Kept over restarts: nobody is paged twice. */
export class PendingDeliveries implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #pending = new Map<string, Pending>()

  progress(key: string, contentId: string, log: StateLog): DeliveryProgress {
    const known = this.#pending.get(key)
    const recipients = known?.contentId === contentId ? known.recipients : new Set<string>()
    return {
      isDone: (recipient) => recipients.has(recipient),
      done: async (recipient) => {
        recipients.add(recipient)
        this.#pending.set(key, { contentId, recipients })
        log.write([PUT, key, contentId, [...recipients]])
        await log.commit()
      },
    }
  }

  /** The notification is complete, or is not wanted any more. */
  clear(key: string, log: StateLog): void {
    if (this.#pending.delete(key)) log.write([GONE, key])
  }

  apply(record: StateRecord): void {
    const [kind, key, contentId, recipients] = record as [string, string, string, string[]]
    if (kind === GONE) this.#pending.delete(key)
    else this.#pending.set(key, { contentId, recipients: new Set(recipients) })
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [key, p] of this.#pending) yield [PUT, key, p.contentId, [...p.recipients]]
  }
}
