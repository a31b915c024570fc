import type { Clock } from '../../lib/index.ts'
import { QueryCanceledError, QueryTimeoutError, QueryTooManySamplesError } from './errors.ts'

// Looking at the clock costs as much as evaluating a short series.
const POLL_EVERY = 32

/** What one query may use, and what it has used. */
export class QueryLimits {
  peakSamples = 0
  #heldSamples = 0
  #sincePoll = 0
  readonly #maxSamples: number
  readonly #deadlineMs: number | undefined
  readonly #cancelFlag: Int32Array | undefined
  readonly #clock: Clock

  constructor(options: {
    maxSamples: number
    deadlineMs: number | undefined
    cancelFlag: Int32Array | undefined
    clock: Clock
  }) {
    this.#maxSamples = options.maxSamples
    this.#deadlineMs = options.deadlineMs
    this.#cancelFlag = options.cancelFlag
    this.#clock = options.clock
  }

  /** @throws {QueryTooManySamplesError} */
  hold(samples: number): void {
    this.#heldSamples += samples
    if (this.#heldSamples > this.peakSamples) {
      this.peakSamples = this.#heldSamples
      if (this.#heldSamples > this.#maxSamples) throw new QueryTooManySamplesError()
    }
  }

  /** Room is made for whole series, so that a single one must fit. @throws {QueryTooManySamplesError} */
  checkSteps(stepCount: number): void {
    if (stepCount > this.#maxSamples) throw new QueryTooManySamplesError()
  }

  /** To be called once per series. @throws {QueryTimeoutError} @throws {QueryCanceledError} */
  poll(): void {
    if (this.#sincePoll++ % POLL_EVERY === 0) this.pollNow()
  }

  /** To be called within long work on one series. @throws as `poll` */
  pollNow(): void {
    if (this.#cancelFlag !== undefined && Atomics.load(this.#cancelFlag, 0) !== 0) throw new QueryCanceledError()
    if (this.#deadlineMs !== undefined && this.#clock.nowMs() > this.#deadlineMs) throw new QueryTimeoutError()
  }
}
