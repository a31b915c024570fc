import { timingSafeEqual } from 'node:crypto'
import { type Clock, errorMessage, type Logger } from '../../lib/index.ts'
import type { AlertInput } from '../alert/ingest.ts'
import { isResolved, type StoredAlert } from '../alert/stored-alert.ts'
import { matchesAll } from '../matcher/parse.ts'
import { readSecret } from '../notify/secret.ts'
import type { StateLog } from '../store/state-log.ts'
import { OnCallRequestError } from './errors.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { ExpectedHeartbeat } from './types.ts'

/** A heartbeat that is expected. */
export interface ExpectedHeartbeatView {
  readonly name: string
  readonly intervalMs: number
  readonly graceMs: number
  /** `undefined` = none has come yet. */
  readonly lastAtMs: number | undefined
  readonly missingAtMs: number
  readonly isMissing: boolean
}

export interface HeartbeatMonitorOptions {
  readonly expected: readonly ExpectedHeartbeat[]
  readonly heartbeats: Heartbeats
  /** Where the alert about a missing one goes: the same way as any other. */
  readonly receive: (alerts: readonly AlertInput[]) => Promise<unknown>
  readonly log: () => StateLog
  readonly clock: Clock
  readonly logger: Logger
}

const CHECK_INTERVAL_MS = 5000
/** The alert is renewed as rules renew theirs. */
const RENEW_INTERVAL_MS = 60_000
const LEASE_MS = 4 * RENEW_INTERVAL_MS

/** Waits for signs of life from elsewhere, and fires an alert for each that stays away. */
export class HeartbeatMonitor {
  readonly #options: HeartbeatMonitorOptions
  /** When the alert of a missing one was last sent. */
  readonly #alertedAtMs = new Map<string, number>()
  #cancel: () => void = () => {}
  #startedAtMs = 0

  constructor(options: HeartbeatMonitorOptions) {
    this.#options = options
  }

  /** @param alerts that are known: one about a missing heartbeat goes on where it was */
  start(alerts: Iterable<StoredAlert>): void {
    const { expected, heartbeats, clock, log } = this.#options
    this.#startedAtMs = clock.nowMs()
    const names = new Set(expected.map(({ name }) => name))
    for (const name of heartbeats.names()) if (!names.has(name)) heartbeats.remove(name, log())
    for (const { name } of expected)
      if (!heartbeats.get(name)) heartbeats.put(name, { atMs: clock.nowMs(), hasCome: false }, log())
    const known = [...alerts]
    for (const { name, labels } of expected)
      if (known.some((alert) => alert.labels.join('\n') === labels.join('\n') && !isResolved(alert, clock.nowMs())))
        this.#alertedAtMs.set(name, 0)
    if (expected.length > 0) this.#arm()
  }

  stop(): void {
    this.#cancel()
  }

  /** To be told of every alert that arrives. */
  observe(alert: StoredAlert): void {
    const { expected, clock } = this.#options
    if (expected.length === 0 || isResolved(alert, clock.nowMs())) return
    for (const { name, matchers, labels } of expected)
      if (matchers.length > 0 && matchesAll(matchers, alert.labels) && alert.labels.join('\n') !== labels.join('\n'))
        this.#beat(name)
  }

  /** Durable when it resolves. @throws {OnCallRequestError} @throws {StateLogError} */
  async beat(name: string, token: string | undefined): Promise<void> {
    const heartbeat = this.#options.expected.find((one) => one.name === name)
    if (!heartbeat || heartbeat.matchers.length > 0)
      throw new OnCallRequestError(`no heartbeat "${name}" is expected by request`, 404)
    const wanted = heartbeat.token && (await readSecret(heartbeat.token))
    // A file that is empty for a moment lets nobody in.
    if (wanted !== undefined && (wanted === '' || !sameText(wanted, token ?? '')))
      throw new OnCallRequestError('the token is wrong', 403)
    this.#beat(name)
    await this.#options.log().commit()
    await this.#check()
  }

  views(): ExpectedHeartbeatView[] {
    const { expected, heartbeats, clock } = this.#options
    return expected.map(({ name, intervalMs, graceMs }) => {
      const { atMs, hasCome } = heartbeats.get(name) ?? { atMs: clock.nowMs(), hasCome: false }
      // What could not be heard while this process was down gets its grace from the start, unless it was missing before.
      const heardFromMs = this.#alertedAtMs.has(name) ? 0 : this.#startedAtMs + graceMs
      const missingAtMs = Math.max(atMs + intervalMs + graceMs, heardFromMs)
      const isMissing = missingAtMs <= clock.nowMs()
      return { name, intervalMs, graceMs, lastAtMs: hasCome ? atMs : undefined, missingAtMs, isMissing }
    })
  }

  #beat(name: string): void {
    const { heartbeats, clock, log } = this.#options
    heartbeats.put(name, { atMs: clock.nowMs(), hasCome: true }, log())
  }

  #arm(): void {
    this.#cancel = this.#options.clock.schedule(CHECK_INTERVAL_MS, () => {
      this.#arm()
      void this.#check()
    })
  }

  async #check(): Promise<void> {
    const { expected, receive, clock, logger } = this.#options
    const nowMs = clock.nowMs()
    const inputs: AlertInput[] = []
    const views = this.views()
    expected.forEach(({ name, labels, annotations }, i) => {
      const { isMissing } = views[i]!
      const alertedAtMs = this.#alertedAtMs.get(name)
      if (isMissing && alertedAtMs !== undefined && nowMs - alertedAtMs < RENEW_INTERVAL_MS) return
      if (!isMissing && alertedAtMs === undefined) return
      if (isMissing) this.#alertedAtMs.set(name, nowMs)
      else this.#alertedAtMs.delete(name)
      const endsAtMs = isMissing ? nowMs + LEASE_MS : nowMs
      const startsAtMs = isMissing && alertedAtMs === undefined ? nowMs : Math.min(views[i]!.missingAtMs, nowMs)
      inputs.push({ labels, annotations, startsAtMs, endsAtMs, generatorUrl: '' })
    })
    if (inputs.length === 0) return
    try {
      await receive(inputs)
    } catch (error) {
      for (const { labels } of inputs) this.#forget(labels)
      logger.error({ why: errorMessage(error) }, 'The alert about a missing heartbeat could not be kept')
    }
  }

  /** The next check tries again. */
  #forget(labels: AlertInput['labels']): void {
    const heartbeat = this.#options.expected.find((one) => one.labels === labels)
    if (heartbeat) this.#alertedAtMs.set(heartbeat.name, 0)
  }
}

function sameText(wanted: string, given: string): boolean {
  const [a, b] = [Buffer.from(wanted), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
