import type { Clock } from '../../lib/index.ts'
import { sleepUntil } from './sleep.ts'

/** While it fails: enough to notice soon that it is back, and nothing that it or we would feel. */
const FAILING_GAP_MS = 5

/** What all notifications through one integration share: pauses that the service asks for, and a line before it while it fails. */
export class Destination {
  /** No attempt before this instant. */
  pausedUntilMs = 0
  /** Why the last attempt of whoever failed; `undefined` = it did not. */
  failure: string | undefined
  #back = new AbortController()
  #nextAttemptAtMs = 0

  /** What to wait for before an attempt, if anything. It ends early when the signal aborts. */
  turn(clock: Clock, signal: AbortSignal): Promise<void> | undefined {
    if (this.failure === undefined) return undefined
    const atMs = Math.max(clock.nowMs(), this.#nextAttemptAtMs)
    this.#nextAttemptAtMs = atMs + FAILING_GAP_MS
    return atMs > clock.nowMs() ? sleepUntil(clock, atMs, signal, this.#back.signal) : undefined
  }

  /** @param failure why an attempt failed that others may fail from as well; `undefined` = it answers */
  tried(failure: string | undefined): void {
    const isBack = this.failure !== undefined && failure === undefined
    this.failure = failure
    if (!isBack) return
    this.#nextAttemptAtMs = 0
    this.#back.abort()
    this.#back = new AbortController()
  }
}
