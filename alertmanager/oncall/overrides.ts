import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { OverrideFacts } from './types.ts'

/** Somebody takes over a schedule for a while, by the API. */
export interface Override extends OverrideFacts {
  readonly id: string
  readonly schedule: string
  readonly createdBy: string
  /** Of two at the same time the newer goes first. */
  readonly createdAtMs: number
  /** Kept a while after it was taken back, lest another instance brings it back. */
  readonly isRemoved: boolean
}

const PUT = 'on-call-override'
const GONE = 'on-call-override-gone'

/** Overrides that were made through the API, oldest first. */
export class Overrides implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #byId = new Map<string, Override>()

  all(): Override[] {
    return [...this.#byId.values()].filter(({ isRemoved }) => !isRemoved).sort((a, b) => a.createdAtMs - b.createdAtMs)
  }

  /** The caller commits. */
  put(override: Override, log: StateLog): void {
    this.#byId.set(override.id, override)
    log.write([PUT, override])
  }

  /** Returns whether there was one. The caller commits. */
  remove(id: string, log: StateLog): boolean {
    const known = this.#byId.get(id)
    if (!known || known.isRemoved) return false
    this.put({ ...known, isRemoved: true }, log)
    return true
  }

  /** Takes what another instance knows. The caller commits. */
  merge(override: Override, log: StateLog): void {
    const known = this.#byId.get(override.id)
    if (!known || (override.isRemoved && !known.isRemoved)) this.put(override, log)
  }

  /** Forgets what ended before. */
  collectGarbage(beforeMs: number, log: StateLog): void {
    for (const { id, toMs } of this.#byId.values()) {
      if (toMs > beforeMs) continue
      this.#byId.delete(id)
      log.write([GONE, id])
    }
  }

  apply(record: StateRecord): void {
    const [kind, value] = record
    if (kind === GONE) this.#byId.delete(value as string)
    else this.#byId.set((value as Override).id, value as Override)
  }

  *snapshot(): Iterable<StateRecord> {
    for (const override of this.#byId.values()) yield [PUT, override]
  }
}
