import type { Labels } from '../../model/index.ts'
import { isResolved, type StoredAlert } from '../alert/stored-alert.ts'
import { matchesAll } from '../matcher/parse.ts'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import type { FlapRule } from './types.ts'

/** What is remembered of an alert that changes its state. */
interface Flapping {
  readonly fingerprint: string
  readonly labels: Labels
  /** Unix milliseconds of the latest changes, oldest first. */
  readonly changesMs: readonly number[]
  readonly isFiring: boolean
  /** `undefined` = it is not held. Stays set until everybody who got a notice has heard how it ended. */
  readonly heldSinceMs: number | undefined
  /** Keys, in the notification log, of the integrations that were given the notice. */
  readonly noticed: readonly string[]
}

/** An alert that is held. */
export interface FlappingView {
  readonly fingerprint: string
  readonly labels: Labels
  readonly isFiring: boolean
  readonly sinceMs: number
  /** In the window, at the latest change. */
  readonly changeCount: number
  /** When it is let go if nothing changes any more. */
  readonly stableAtMs: number
}

const PUT = 'flapping'
const GONE = 'flapping-gone'
const CHANGES_KEPT_MAX = 1000
const DAY_MS = 86_400_000

/** Counts how often alerts change between firing and resolved, and holds those that do it too often until they are stable. */
export class FlapDamper implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #byFingerprint = new Map<string, Flapping>()
  #rules: readonly FlapRule[] = []

  /** Of the configuration in force; none = nothing is counted. */
  set rules(rules: readonly FlapRule[]) {
    this.#rules = rules
  }

  /** To be told of an alert's every message: what was known before it, and what is known now. The caller commits. */
  observe(old: StoredAlert | undefined, next: StoredAlert, nowMs: number, log: StateLog): void {
    const rule = this.#ruleOf(next.labels)
    if (!rule) return
    const known = this.#byFingerprint.get(next.fingerprint)
    const wasFiring = known?.isFiring ?? (old !== undefined && !isResolved(old, old.updatedAtMs))
    const isFiring = !isResolved(next, nowMs)
    const changes: number[] = []
    // Nobody sends a message when an alert's lease runs out; that it had ended shows when it comes back.
    const hasLapsed = wasFiring && isFiring && old !== undefined && isResolved(old, nowMs)
    if (hasLapsed) changes.push(old.endsAtMs, nowMs)
    else if (wasFiring !== isFiring) changes.push(nowMs)
    if (changes.length === 0) return
    const isHeld = known?.heldSinceMs !== undefined && this.#stableAtMs(known, rule) > nowMs
    // Once it has been let go, what it did before does not count any more.
    const before = known === undefined || (known.heldSinceMs !== undefined && !isHeld) ? [] : known.changesMs
    const changesMs = [...before, ...changes].filter((atMs) => atMs > nowMs - rule.windowMs).slice(-CHANGES_KEPT_MAX)
    const isTooOften = changesMs.length > rule.changesMax
    this.#put(
      {
        fingerprint: next.fingerprint,
        labels: next.labels,
        changesMs,
        isFiring,
        heldSinceMs: isHeld || isTooOften ? ((isHeld ? known.heldSinceMs : undefined) ?? nowMs) : undefined,
        noticed: known?.noticed ?? [],
      },
      log,
    )
  }

  /** `undefined` = it is not held. */
  held(fingerprint: string, nowMs: number): FlappingView | undefined {
    const known = this.#byFingerprint.get(fingerprint)
    const rule = known && this.#ruleOf(known.labels)
    if (!known || !rule || known.heldSinceMs === undefined) return undefined
    const stableAtMs = this.#stableAtMs(known, rule)
    if (stableAtMs <= nowMs) return undefined
    const { labels, isFiring, heldSinceMs, changesMs } = known
    return { fingerprint, labels, isFiring, sinceMs: heldSinceMs, changeCount: changesMs.length, stableAtMs }
  }

  all(nowMs: number): FlappingView[] {
    return [...this.#byFingerprint.keys()].flatMap((fingerprint) => this.held(fingerprint, nowMs) ?? [])
  }

  /** Whether an integration was given the notice and has not told yet how it ended. @param key of the notification log */
  isNoticed(fingerprint: string, key: string): boolean {
    return this.#byFingerprint.get(fingerprint)?.noticed.includes(key) ?? false
  }

  /** The caller commits. */
  setNoticed(fingerprint: string, key: string, isNoticed: boolean, log: StateLog): void {
    const known = this.#byFingerprint.get(fingerprint)
    if (!known || known.noticed.includes(key) === isNoticed) return
    const others = known.noticed.filter((other) => other !== key)
    this.#put({ ...known, noticed: isNoticed ? [...others, key] : others }, log)
  }

  /** Forgets what has been stable for as long as its window. */
  collectGarbage(nowMs: number, log: StateLog): void {
    for (const known of this.#byFingerprint.values()) {
      const rule = this.#ruleOf(known.labels)
      // Who got the notice is to hear how it ended; a group that is gone never will.
      const waitsMs = known.noticed.length > 0 ? DAY_MS : 0
      const keptMs = rule ? Math.max(rule.windowMs, rule.stableForMs) + waitsMs : 0
      if ((known.changesMs.at(-1) ?? 0) + keptMs > nowMs) continue
      this.#byFingerprint.delete(known.fingerprint)
      log.write([GONE, known.fingerprint])
    }
  }

  apply(record: StateRecord): void {
    const [kind, value] = record
    if (kind === GONE) this.#byFingerprint.delete(value as string)
    else {
      const { heldSinceMs, ...known } = value as Flapping & { heldSinceMs?: number | null }
      this.#byFingerprint.set(known.fingerprint, { ...known, heldSinceMs: heldSinceMs ?? undefined })
    }
  }

  *snapshot(): Iterable<StateRecord> {
    for (const known of this.#byFingerprint.values()) yield [PUT, known]
  }

  #stableAtMs(known: Flapping, rule: FlapRule): number {
    return (known.changesMs.at(-1) ?? 0) + rule.stableForMs
  }

  #ruleOf(labels: Labels): FlapRule | undefined {
    return this.#rules.find(({ matchers }) => matchesAll(matchers, labels))
  }

  #put(flapping: Flapping, log: StateLog): void {
    this.#byFingerprint.set(flapping.fingerprint, flapping)
    log.write([PUT, flapping])
  }
}
