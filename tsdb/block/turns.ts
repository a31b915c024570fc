const TURN_MS = 10

/** Lets the other jobs of a thread have their turn during a long one. */
export class Turns {
  #endsAt = performance.now() + TURN_MS

  /** To be awaited often: goes on at once unless it is the others' turn. */
  async take(): Promise<void> {
    if (performance.now() < this.#endsAt) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#endsAt = performance.now() + TURN_MS
  }
}
