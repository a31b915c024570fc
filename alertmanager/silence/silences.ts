import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/index.ts'
import { createMatcher, type Labels, type Matcher, type MatchType, matches } from '../../model/index.ts'
import { matchersText, matchesAll, sortMatchers } from '../matcher/parse.ts'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'
import { InvalidSilenceError, SilenceNotFoundError } from './errors.ts'

export type SilenceState = 'pending' | 'active' | 'expired'

export interface Silence {
  readonly id: string
  /** All must match; sorted. */
  readonly matchers: readonly Matcher[]
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly updatedAtMs: number
  readonly createdBy: string
  readonly comment: string
  readonly annotations: Readonly<Record<string, string>>
}

export interface SilenceLimits {
  /** 0 = no limit. Expired ones count until they are forgotten. */
  readonly silencesMax: number
  /** Of the encoded silence; 0 = no limit. */
  readonly silenceBytesMax: number
}

export type SilenceInput = Omit<Silence, 'id' | 'updatedAtMs'> & { readonly id?: string }

const PUT = 'silence'
const GONE = 'silence-gone'
const NONE: readonly string[] = []

export function silenceState(silence: Silence, nowMs: number): SilenceState {
  if (nowMs < silence.startsAtMs) return 'pending'
  return nowMs < silence.endsAtMs ? 'active' : 'expired'
}

/** All silences until their retention ends. A change is durable when the returned promise resolves. */
export class Silences implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #clock: Clock
  readonly #limits: SilenceLimits
  readonly #retentionMs: number
  readonly #byId = new Map<string, Silence>()
  /** Ids of silences whose matchers fit, per alert; dropped when any silence changes. */
  #matchingIds = new Map<string, readonly string[]>()
  queryCount = 0

  constructor(options: { clock: Clock; limits: SilenceLimits; retentionMs: number }) {
    this.#clock = options.clock
    this.#limits = options.limits
    this.#retentionMs = options.retentionMs
  }

  all(): IterableIterator<Silence> {
    this.queryCount++
    return this.#byId.values()
  }

  get(id: string): Silence | undefined {
    this.queryCount++
    return this.#byId.get(id)
  }

  /** Ids of the active silences that match the alert. */
  mutedBy(fingerprint: string, labels: Labels): readonly string[] {
    if (this.#byId.size === 0) return NONE
    let ids = this.#matchingIds.get(fingerprint)
    if (!ids) {
      ids = [...this.#byId.values()].filter((s) => matchesAll(s.matchers, labels)).map((s) => s.id)
      this.#matchingIds.set(fingerprint, ids)
    }
    const nowMs = this.#clock.nowMs()
    return ids.filter((id) => {
      const silence = this.#byId.get(id)
      return silence !== undefined && silenceState(silence, nowMs) === 'active'
    })
  }

  /**
   * Creates, or changes the one named by `id`. Only a change of comment or of permissible times keeps the id; otherwise the
   * old silence ends now and a new one takes over, so that history stays true.
   *
   * @throws {InvalidSilenceError} @throws {SilenceNotFoundError}
   */
  async set(input: SilenceInput, log: StateLog): Promise<string> {
    const nowMs = this.#clock.nowMs()
    const previous = input.id === undefined ? undefined : this.#byId.get(input.id)
    if (input.id !== undefined && !previous) throw new SilenceNotFoundError()
    const wanted: Silence = { ...input, id: '', matchers: sortMatchers(input.matchers), updatedAtMs: nowMs }
    validate(wanted)
    const keepsId = previous !== undefined && canUpdate(previous, wanted, nowMs)
    const next: Silence = keepsId
      ? { ...wanted, id: previous.id }
      : { ...wanted, id: randomUUID(), startsAtMs: Math.max(wanted.startsAtMs, nowMs) }
    this.#checkLimits(next, keepsId)
    if (previous && !keepsId && silenceState(previous, nowMs) !== 'expired') this.#put(expired(previous, nowMs), log)
    this.#put(next, log)
    await log.commit()
    return next.id
  }

  /** Ends it now; ending one that has already ended is no error. @throws {SilenceNotFoundError} */
  async expire(id: string, log: StateLog): Promise<void> {
    const silence = this.#byId.get(id)
    if (!silence) throw new SilenceNotFoundError()
    const nowMs = this.#clock.nowMs()
    if (silenceState(silence, nowMs) !== 'expired') this.#put(expired(silence, nowMs), log)
    await log.commit()
  }

  /** Takes a silence from elsewhere as it is, unless ours is as new. The caller commits. Returns whether it was taken. */
  merge(silence: Silence, log: StateLog): boolean {
    const known = this.#byId.get(silence.id)
    if (known && known.updatedAtMs >= silence.updatedAtMs) return false
    if (silence.endsAtMs + this.#retentionMs <= this.#clock.nowMs()) return false
    this.#put(silence, log)
    return true
  }

  collectGarbage(log: StateLog): void {
    const nowMs = this.#clock.nowMs()
    for (const silence of this.#byId.values()) {
      if (silence.endsAtMs + this.#retentionMs > nowMs) continue
      this.#byId.delete(silence.id)
      log.write([GONE, silence.id])
    }
    // Alerts come and go; their cached matches are not worth tracking one by one.
    this.#matchingIds = new Map()
  }

  apply(record: StateRecord): void {
    if (record[0] === GONE) this.#byId.delete(record[1] as string)
    else this.#byId.set(record[1] as string, silenceOf(record))
  }

  *snapshot(): Iterable<StateRecord> {
    for (const silence of this.#byId.values()) yield putRecord(silence)
  }

  #put(silence: Silence, log: StateLog): void {
    this.#byId.set(silence.id, silence)
    this.#matchingIds = new Map()
    log.write(putRecord(silence))
  }

  #checkLimits(silence: Silence, isUpdate: boolean): void {
    const { silencesMax, silenceBytesMax } = this.#limits
    if (!isUpdate && silencesMax > 0 && this.#byId.size >= silencesMax)
      throw new InvalidSilenceError(`exceeded maximum number of silences: ${silencesMax}`)
    const sizeBytes = Buffer.byteLength(JSON.stringify(putRecord(silence)))
    if (silenceBytesMax > 0 && sizeBytes > silenceBytesMax)
      throw new InvalidSilenceError(
        `silence exceeded maximum size: ${sizeBytes} bytes (limit: ${silenceBytesMax} bytes)`,
      )
  }
}

function validate(silence: Silence): void {
  if (silence.matchers.length === 0) throw new InvalidSilenceError('silence invalid: at least one matcher required')
  if (silence.matchers.every((matcher) => matches(matcher, '')))
    throw new InvalidSilenceError('silence invalid: at least one matcher must not match the empty string')
  if (silence.endsAtMs < silence.startsAtMs)
    throw new InvalidSilenceError('silence invalid: end time must not be before start time')
}

function canUpdate(previous: Silence, wanted: Silence, nowMs: number): boolean {
  if (matchersText(previous.matchers) !== matchersText(wanted.matchers)) return false
  const seconds = (ms: number): number => Math.floor(ms / 1000)
  switch (silenceState(previous, nowMs)) {
    case 'active':
      return seconds(previous.startsAtMs) === seconds(wanted.startsAtMs) && wanted.endsAtMs >= nowMs
    case 'pending':
      return wanted.startsAtMs >= nowMs
    case 'expired':
      return false
  }
}

const expired = (silence: Silence, nowMs: number): Silence => ({
  ...silence,
  startsAtMs: Math.min(silence.startsAtMs, nowMs),
  endsAtMs: nowMs,
  updatedAtMs: nowMs,
})

type PutRecord = readonly [
  string,
  string,
  (readonly [MatchType, string, string])[],
  number,
  number,
  number,
  string,
  string,
  [string, string][],
]

const putRecord = (s: Silence): PutRecord => [
  PUT,
  s.id,
  s.matchers.map((m) => [m.type, m.name, m.value] as const),
  s.startsAtMs,
  s.endsAtMs,
  s.updatedAtMs,
  s.createdBy,
  s.comment,
  Object.entries(s.annotations),
]

/** The silence of a record. */
export function silenceOf(record: StateRecord): Silence {
  const [, id, matchers, startsAtMs, endsAtMs, updatedAtMs, createdBy, comment, annotations] =
    record as unknown as PutRecord
  return {
    id,
    matchers: matchers.map((m) => createMatcher(...m)),
    startsAtMs,
    endsAtMs,
    updatedAtMs,
    createdBy,
    comment,
    annotations: Object.fromEntries(annotations),
  }
}
