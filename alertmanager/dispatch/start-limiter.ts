/** A flush takes a fraction of a millisecond before it waits for the network. */
const STARTS_PER_TURN = 20

/** Keeps flushes that are due at the same time, as all are after a restart, from holding up everything else. */
export class StartLimiter {
  #started = 0
  #waiting: (() => void)[] = []

  /** @returns what to wait for; `undefined` where it may start at once */
  turn(): Promise<void> | undefined {
    if (this.#waiting.length > 0 || this.#started >= STARTS_PER_TURN)
      return new Promise((resolve) => this.#waiting.push(resolve))
    if (this.#started++ === 0) setImmediate(() => this.#nextTurn())
    return undefined
  }

  #nextTurn(): void {
    const next = this.#waiting.splice(0, STARTS_PER_TURN)
    this.#started = next.length
    if (next.length > 0) setImmediate(() => this.#nextTurn())
    for (const start of next) start()
  }
}
