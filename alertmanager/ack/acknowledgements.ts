import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'

/** Somebody has taken a group on: it is not repeated until it has resolved, the time is over, or it is taken back. */
export interface Acknowledgement {
  readonly groupKey: string
  readonly by: string
  readonly comment: string
  readonly atMs: number
  readonly untilMs: number
}

const PUT = 'ack'
const GONE = 'ack-gone'
const KEY = 'ack-key'
const KEY_BYTES = 32
const KEPT_AFTER_END_MS = 7 * 86_400_000
const PROOF_CHARS = 32

/** Acknowledgements by group key, and the key that makes links to them. */
export class Acknowledgements implements StatePart {
  readonly kinds = [PUT, GONE, KEY]
  readonly #byGroup = new Map<string, Acknowledgement>()
  #key: Buffer | undefined

  all(nowMs: number): Acknowledgement[] {
    return [...this.#byGroup.values()].filter(({ untilMs }) => untilMs > nowMs).sort((a, b) => a.atMs - b.atMs)
  }

  get(groupKey: string, nowMs: number): Acknowledgement | undefined {
    const known = this.#byGroup.get(groupKey)
    return known && known.untilMs > nowMs ? known : undefined
  }

  /**
   * An older one does not replace a newer one, nor the same itself: they also come from another instance, to which whatever is
   * written goes back. The caller commits.
   */
  put(acknowledgement: Acknowledgement, log: StateLog): void {
    const known = this.#byGroup.get(acknowledgement.groupKey)
    const { atMs, untilMs } = acknowledgement
    if (known && (known.atMs > atMs || (known.atMs === atMs && known.untilMs <= untilMs))) return
    this.#byGroup.set(acknowledgement.groupKey, acknowledgement)
    log.write([PUT, acknowledgement])
  }

  /** Resolved. What is over stays on record: else another instance that has not heard yet would bring it back. The caller commits. */
  end(groupKey: string, nowMs: number, log: StateLog): void {
    const known = this.get(groupKey, nowMs)
    if (known) this.put({ ...known, atMs: this.stamp(groupKey, nowMs), untilMs: nowMs }, log)
  }

  /** For what is said now: later than all that is known of the group, which may come from a clock that is ahead. */
  stamp(groupKey: string, nowMs: number): number {
    return Math.max(nowMs, (this.#byGroup.get(groupKey)?.atMs ?? 0) + 1)
  }

  collectGarbage(nowMs: number, log: StateLog): void {
    // One that is over is kept for days, lest another instance that was away brings back what it replaced.
    for (const { groupKey, untilMs } of this.#byGroup.values()) {
      if (untilMs + KEPT_AFTER_END_MS > nowMs) continue
      this.#byGroup.delete(groupKey)
      log.write([GONE, groupKey])
    }
  }

  /** What a link carries to show that it came out of a notification about the group. */
  proofOf(groupKey: string, log: StateLog): string {
    if (!this.#key) {
      this.#key = randomBytes(KEY_BYTES)
      log.write([KEY, this.#key])
    }
    return createHmac('sha256', this.#key).update(groupKey).digest('hex').slice(0, PROOF_CHARS)
  }

  isProven(groupKey: string, proof: string, log: StateLog): boolean {
    const wanted = Buffer.from(this.proofOf(groupKey, log))
    const given = Buffer.from(proof)
    return wanted.length === given.length && timingSafeEqual(wanted, given)
  }

  apply(record: StateRecord): void {
    const [kind, value] = record
    if (kind === KEY) this.#key = Buffer.from(value as Uint8Array)
    else if (kind === GONE) this.#byGroup.delete(value as string)
    else this.#byGroup.set((value as Acknowledgement).groupKey, value as Acknowledgement)
  }

  *snapshot(): Iterable<StateRecord> {
    if (this.#key) yield [KEY, this.#key]
    for (const acknowledgement of this.#byGroup.values()) yield [PUT, acknowledgement]
  }
}
