import type { Clock } from '../../lib/index.ts'
import type { AlertmanagerState } from '../state.ts'
import type { Acknowledgement } from './acknowledgements.ts'

const DURATION_DEFAULT_MS = 24 * 3_600_000

/** Where people take groups on and let them go. Changes are durable when the promises resolve. */
export class AckDesk {
  readonly #state: AlertmanagerState
  readonly #clock: Clock
  readonly #apiUrl: string

  /** @param apiUrl where `ownAlertsApi` is reached by people */
  constructor(state: AlertmanagerState, clock: Clock, apiUrl: string) {
    this.#state = state
    this.#clock = clock
    this.#apiUrl = apiUrl
  }

  all(): Acknowledgement[] {
    return this.#state.acknowledgements.all(this.#clock.nowMs())
  }

  /** The group is not repeated until it has resolved or the time is over. @throws {StateLogError} */
  async put(facts: { groupKey: string; by: string; comment: string; durationMs?: number }): Promise<Acknowledgement> {
    const { groupKey, by, comment, durationMs = DURATION_DEFAULT_MS } = facts
    const atMs = this.#clock.nowMs()
    const acknowledgement = { groupKey, by, comment, atMs, untilMs: atMs + durationMs }
    this.#state.acknowledgements.put(acknowledgement, this.#state.log)
    await this.#state.log.commit()
    return acknowledgement
  }

  /** @throws {StateLogError} */
  async withdraw(groupKey: string): Promise<void> {
    const atMs = this.#clock.nowMs()
    this.#state.acknowledgements.put({ groupKey, by: '', comment: '', atMs, untilMs: atMs }, this.#state.log)
    await this.#state.log.commit()
  }

  /** A link that shows the group and a button; whoever has it may acknowledge. */
  urlOf(groupKey: string): string {
    const proof = this.#state.acknowledgements.proofOf(groupKey, this.#state.log)
    return `${this.#apiUrl}/ack?group=${Buffer.from(groupKey, 'utf8').toString('base64url')}&proof=${proof}`
  }

  isProven(groupKey: string, proof: string): boolean {
    return this.#state.acknowledgements.isProven(groupKey, proof, this.#state.log)
  }
}
