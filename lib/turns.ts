const TURN_MS = 10

/** For work that takes longer than the event loop may be held: `if (turns.isOver) await turns.next()`. */
export class Turns {
  #startedAt = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#startedAt >= TURN_MS
  }

  /** Resolves when everybody else has had a turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.#startedAt = performance.now()
  }
}
