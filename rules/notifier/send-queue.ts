import type { Alert } from '../../model/index.ts'

/** Alerts on their way to one Alertmanager, oldest first. When it is full, the oldest ones give way. */
export class SendQueue {
  readonly #capacity: number
  #alerts: Alert[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get length(): number {
    return this.#alerts.length
  }

  /** @returns how many alerts were dropped */
  push(alerts: readonly Alert[]): number {
    const all = [...this.#alerts, ...alerts]
    const dropped = Math.max(0, all.length - this.#capacity)
    this.#alerts = all.slice(dropped)
    return dropped
  }

  /** Takes up to `count` alerts off the front. */
  take(count: number): Alert[] {
    return this.#alerts.splice(0, count)
  }

  /** Empties it. @returns how many alerts that were */
  clear(): number {
    return this.#alerts.splice(0).length
  }
}
