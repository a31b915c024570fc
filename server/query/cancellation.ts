/**
 * Tells who works on an answer that nobody wants it any longer. An `AbortSignal` does the same, and costs as much as a small query
 * for each listener.
 */
export class Cancellation {
  #isCancelled = false
  readonly #listeners: (() => void)[] = []

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** Calls those who listen, once. */
  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    for (const listener of this.#listeners.splice(0)) listener()
  }

  /** @param listener not called any more once it has been called, or forgotten */
  listen(listener: () => void): void {
    this.#listeners.push(listener)
  }

  forget(listener: () => void): void {
    const index = this.#listeners.indexOf(listener)
    if (index >= 0) this.#listeners.splice(index, 1)
  }
}
