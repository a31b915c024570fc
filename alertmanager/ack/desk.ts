import type { Clock } from '../../lib/index.ts'
import type { AlertmanagerState } from '../state.ts'
import type { Acknowledgement } from './acknowledgements.ts'

const CODE_DIGITS = 6
/** Hexadecimal, of a proof: 48 bits. */
const CODE_SOURCE_DIGITS = 12
const REPLY = /^\s*(?:(ack|a|unack|un)\b)?[\s:#]*(\d{6})\b/i
const DURATION_DEFAULT_MS = 24 * 3_600_000

/** Where people take groups on and let them go. Changes are durable when the promises resolve. */
export class AckDesk {
  readonly #state: AlertmanagerState
  readonly #clock: Clock
  readonly #apiUrl: string
  readonly #onChange: (groupKey: string) => void
  readonly #groupKeys: () => Iterable<string>

  /**
   * @param facts.apiUrl where `ownAlertsApi` is reached by people
   * @param facts.groupKeys of groups that there are
   * @param facts.onChange called when a group was acknowledged, or is not any more
   */
  constructor(
    state: AlertmanagerState,
    clock: Clock,
    facts: { apiUrl: string; groupKeys: () => Iterable<string>; onChange: (groupKey: string) => void },
  ) {
    const { apiUrl } = facts
    this.#onChange = facts.onChange
    this.#groupKeys = facts.groupKeys
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
    const { acknowledgements, log } = this.#state
    const nowMs = this.#clock.nowMs()
    const atMs = acknowledgements.stamp(groupKey, nowMs)
    const acknowledgement = { groupKey, by, comment, atMs, untilMs: nowMs + durationMs }
    acknowledgements.put(acknowledgement, log)
    await this.#state.log.commit()
    this.#onChange(groupKey)
    return acknowledgement
  }

  /** @throws {StateLogError} */
  async withdraw(groupKey: string): Promise<void> {
    const { acknowledgements, log } = this.#state
    const nowMs = this.#clock.nowMs()
    const atMs = acknowledgements.stamp(groupKey, nowMs)
    acknowledgements.put({ groupKey, by: '', comment: '', atMs, untilMs: nowMs }, log)
    await this.#state.log.commit()
    this.#onChange(groupKey)
  }

  /** A link that shows the group and a button; whoever has it may acknowledge. */
  urlOf(groupKey: string): string {
    const proof = this.#state.acknowledgements.proofOf(groupKey, this.#state.log)
    return `${this.#apiUrl}/ack?group=${Buffer.from(groupKey, 'utf8').toString('base64url')}&proof=${proof}`
  }

  /** Six digits that stand for the group in a reply to a message about it. */
  codeOf(groupKey: string): string {
    const proof = this.#state.acknowledgements.proofOf(`code of ${groupKey}`, this.#state.log)
    return String(Number.parseInt(proof.slice(0, CODE_SOURCE_DIGITS), 16) % 10 ** CODE_DIGITS).padStart(
      CODE_DIGITS,
      '0',
    )
  }

  /**
   * Acts on a reply: `482193` or `ack 482193` acknowledges, `unack 482193` takes it back.
   *
   * @returns what to answer to whoever sent it
   * @throws {StateLogError}
   */
  async reply(text: string, by: string): Promise<string> {
    const [, verb = 'ack', code = ''] = REPLY.exec(text) ?? []
    if (code === '') return 'Send the code of a message to acknowledge it, or "unack" and the code to take it back.'
    const groupKeys = [...new Set(this.#groupKeys())].filter((key) => this.codeOf(key) === code)
    // Two groups with one code are rare enough that the link may serve them.
    if (groupKeys.length !== 1) return `No alert has the code ${code}.`
    const [groupKey = ''] = groupKeys
    if (verb.toLowerCase().startsWith('un')) {
      await this.withdraw(groupKey)
      return `Taken back: ${groupKey}`
    }
    await this.put({ groupKey, by, comment: 'by reply' })
    return `Acknowledged: ${groupKey}`
  }

  isProven(groupKey: string, proof: string): boolean {
    return this.#state.acknowledgements.isProven(groupKey, proof, this.#state.log)
  }
}
