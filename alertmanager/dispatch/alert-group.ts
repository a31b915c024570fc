import type { Clock } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import { compareAlerts, isResolved, type StoredAlert } from '../alert/stored-alert.ts'
import { groupKeyOf, type Route } from '../route/route.ts'
import type { StartLimiter } from './start-limiter.ts'

/** What a flush hands to the notification pipeline: the group as it is at the tick. */
export interface GroupFlush {
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly route: Route
  /** In order of notification. */
  readonly alerts: readonly FlushedAlert[]
  readonly tickAtMs: number
  readonly deadlineMs: number
  /** Aborted when the dispatcher stops: no further attempt may begin. */
  readonly signal: AbortSignal
}

export interface FlushedAlert {
  readonly alert: StoredAlert
  /** At the tick; an alert that ends while it is being notified counts as firing to the end. */
  readonly resolved: boolean
}

/** What a flush has come to. */
export interface FlushOutcome {
  /** Everything was delivered, or needed no delivery. */
  readonly delivered: boolean
  /** Fingerprints of resolved alerts that are still to be told about, though not now. */
  readonly kept: ReadonlySet<string>
}

/** Never rejects. */
export type FlushHandler = (flush: GroupFlush) => Promise<FlushOutcome>

export interface GroupTimer {
  readonly nextFlushAtMs: number
  readonly hasFlushed: boolean
}

const FLUSH_TIME_MIN_MS = 10_000

/** The alerts of one route that share their group labels, and the timer that decides when they are told about. */
export class AlertGroup {
  readonly route: Route
  readonly labels: Labels
  readonly key: string
  /** This one, for the many alerts that are in no other. */
  readonly alone: readonly AlertGroup[] = [this]
  /** Set by the dispatcher when it has taken it out: no more alerts. */
  isGone = false
  readonly #clock: Clock
  readonly #flushHandler: FlushHandler
  readonly #onTimer: (group: AlertGroup) => void
  readonly #holdUntilMs: number
  readonly #signal: AbortSignal
  readonly #starts: StartLimiter
  /** In order of notification, if `#isSorted`. */
  #alerts = new Map<string, StoredAlert>()
  #isSorted = true
  #cancelTimer: () => void = () => {}
  #nextFlushAtMs: number
  #hasFlushed: boolean
  #flushing: Promise<void> | undefined
  #tickMissed = false

  /**
   * @param options.resume the timer that the group had before a restart
   * @param options.holdUntilMs no flush before this instant
   * @param options.onTimer called when a timer is set that a restart should know of
   */
  constructor(options: {
    route: Route
    labels: Labels
    clock: Clock
    flushHandler: FlushHandler
    onTimer: (group: AlertGroup) => void
    holdUntilMs: number
    resume: GroupTimer | undefined
    signal: AbortSignal
    starts: StartLimiter
  }) {
    this.route = options.route
    this.labels = options.labels
    this.key = groupKeyOf(options.route, options.labels)
    this.#clock = options.clock
    this.#flushHandler = options.flushHandler
    this.#onTimer = options.onTimer
    this.#holdUntilMs = options.holdUntilMs
    this.#signal = options.signal
    this.#starts = options.starts
    this.#hasFlushed = options.resume?.hasFlushed ?? false
    const freshAtMs = this.#clock.nowMs() + (this.#hasFlushed ? this.route.groupIntervalMs : this.route.groupWaitMs)
    // The configuration may have become more impatient since the timer was stored.
    this.#nextFlushAtMs = Math.min(options.resume?.nextFlushAtMs ?? freshAtMs, freshAtMs)
    this.#arm(this.#nextFlushAtMs)
    if (!options.resume) this.#onTimer(this)
  }

  get timer(): GroupTimer {
    return { nextFlushAtMs: this.#nextFlushAtMs, hasFlushed: this.#hasFlushed }
  }

  get isEmpty(): boolean {
    return this.#alerts.size === 0
  }

  get size(): number {
    return this.#alerts.size
  }

  fingerprints(): Iterable<string> {
    return this.#alerts.keys()
  }

  alerts(): StoredAlert[] {
    if (!this.#isSorted) {
      // An alert keeps its labels, and with them its place.
      const sorted = [...this.#alerts.values()].sort(compareAlerts)
      this.#alerts = new Map(sorted.map((alert) => [alert.fingerprint, alert]))
      this.#isSorted = true
    }
    return [...this.#alerts.values()]
  }

  insert(alert: StoredAlert): void {
    const { size } = this.#alerts
    this.#alerts.set(alert.fingerprint, alert)
    if (this.#alerts.size > size) this.#isSorted = false
    const nowMs = this.#clock.nowMs()
    // The alert waited long enough elsewhere, for example before a reload.
    if (!this.#hasFlushed && alert.startsAtMs + this.route.groupWaitMs < nowMs) this.#arm(nowMs)
  }

  /** No flush begins after this; resolves when one that runs has ended. */
  async stop(): Promise<void> {
    this.#cancelTimer()
    this.#tickMissed = false
    await this.#flushing
  }

  #arm(atMs: number): void {
    this.#cancelTimer()
    this.#nextFlushAtMs = Math.max(atMs, this.#holdUntilMs)
    this.#cancelTimer = this.#clock.schedule(this.#nextFlushAtMs - this.#clock.nowMs(), () => this.#tick())
  }

  #tick(): void {
    if (this.#signal.aborted) return
    if (this.#flushing) {
      // One tick is remembered, not more: the next flush begins right after this one.
      this.#tickMissed = true
      return
    }
    const tickAtMs = this.#clock.nowMs()
    this.#arm(tickAtMs + this.route.groupIntervalMs)
    this.#hasFlushed = true
    this.#flushing = this.#flush(tickAtMs).finally(() => {
      this.#flushing = undefined
      if (!this.#tickMissed) return
      this.#tickMissed = false
      this.#tick()
    })
  }

  async #flush(tickAtMs: number): Promise<void> {
    if (this.isEmpty) return
    const turn = this.#starts.turn()
    if (turn !== undefined) await turn
    const alerts = this.alerts().map((alert) => ({ alert, resolved: isResolved(alert, tickAtMs) }))
    const { delivered, kept } = await this.#flushHandler({
      groupKey: this.key,
      groupLabels: this.labels,
      route: this.route,
      alerts,
      tickAtMs,
      deadlineMs: tickAtMs + Math.max(this.route.groupIntervalMs, FLUSH_TIME_MIN_MS),
      signal: this.#signal,
    })
    if (!delivered) return
    for (const { alert, resolved } of alerts) {
      // An alert that changed meanwhile is a different object, and has to be told about.
      if (resolved && !kept.has(alert.fingerprint) && this.#alerts.get(alert.fingerprint) === alert)
        this.#alerts.delete(alert.fingerprint)
    }
    // Only now: had we died before, the restart should flush at once.
    this.#onTimer(this)
  }
}
