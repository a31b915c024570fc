import type { Clock, Logger } from '../lib/index.ts'

const REPEAT_INTERVAL_MS = 15 * 60_000

/** Logs what fails again and again once in a while: a full disk must not fill with lines about itself. */
export class FailureLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #loggedMs = new Map<string, number>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** @param message constant; names the kind of failure */
  failed(message: string, facts: Readonly<Record<string, unknown>>): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs - (this.#loggedMs.get(message) ?? Number.NEGATIVE_INFINITY) < REPEAT_INTERVAL_MS) return
    this.#loggedMs.set(message, nowMs)
    this.#logger.error(facts, message)
  }

  /** The next failure of this kind is news. */
  worked(message: string): void {
    this.#loggedMs.delete(message)
  }
}
