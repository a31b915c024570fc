import type { StateRecord } from '../store/frame.ts'
import type { StatePart } from '../store/state-log.ts'
import type { GroupTimer } from './alert-group.ts'

const PUT = 'group-timer'
const GONE = 'group-timer-gone'

/** When each group flushes next, so that a restart neither hurries nor delays a notification. */
export class GroupTimers implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #timers = new Map<string, GroupTimer>()

  get(groupKey: string): GroupTimer | undefined {
    return this.#timers.get(groupKey)
  }

  set(groupKey: string, timer: GroupTimer): StateRecord {
    this.#timers.set(groupKey, timer)
    return [PUT, groupKey, timer.nextFlushAtMs, timer.hasFlushed]
  }

  delete(groupKey: string): StateRecord {
    this.#timers.delete(groupKey)
    return [GONE, groupKey]
  }

  keys(): Iterable<string> {
    return this.#timers.keys()
  }

  apply(record: StateRecord): void {
    const [kind, groupKey, nextFlushAtMs, hasFlushed] = record as [string, string, number, boolean]
    if (kind === GONE) this.#timers.delete(groupKey)
    else this.#timers.set(groupKey, { nextFlushAtMs, hasFlushed })
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [groupKey, timer] of this.#timers) yield this.set(groupKey, timer)
  }
}
