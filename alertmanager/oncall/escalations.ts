import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'

/** How far the escalation of a group through its receiver has come. */
export interface Escalation {
  readonly groupKey: string
  readonly receiver: string
  readonly startedAtMs: number
  /** 0 = the first. */
  readonly round: number
  /** The step that is due next: 0 = the receiver's own turn, n = the n-th step. */
  readonly step: number
  /** `undefined` = all rounds are through. */
  readonly nextAtMs: number | undefined
  /** Receivers that steps have told. */
  readonly told: readonly string[]
  /** Why a step reached nobody; '' = none has failed. */
  readonly lastError: string
}

const PUT = 'escalation'
const GONE = 'escalation-gone'

export const escalationKey = (groupKey: string, receiver: string): string => `${groupKey}:${receiver}`

/** Escalations of groups that fire. */
export class Escalations implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #byKey = new Map<string, Escalation>()

  all(): Escalation[] {
    return [...this.#byKey.values()]
  }

  get(groupKey: string, receiver: string): Escalation | undefined {
    return this.#byKey.get(escalationKey(groupKey, receiver))
  }

  /** The caller commits. */
  put(escalation: Escalation, log: StateLog): void {
    this.#byKey.set(escalationKey(escalation.groupKey, escalation.receiver), escalation)
    log.write([PUT, escalation])
  }

  /** The caller commits. */
  remove(groupKey: string, receiver: string, log: StateLog): void {
    const key = escalationKey(groupKey, receiver)
    if (this.#byKey.delete(key)) log.write([GONE, key])
  }

  apply(record: StateRecord): void {
    const [kind, value] = record
    if (kind === GONE) this.#byKey.delete(value as string)
    else {
      const { nextAtMs, ...escalation } = value as Escalation & { nextAtMs?: number | null }
      this.#byKey.set(escalationKey(escalation.groupKey, escalation.receiver), {
        ...escalation,
        nextAtMs: nextAtMs ?? undefined,
      })
    }
  }

  *snapshot(): Iterable<StateRecord> {
    for (const escalation of this.#byKey.values()) yield [PUT, escalation]
  }
}
