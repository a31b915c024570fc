import type { Clock } from '../../lib/index.ts'
import { type Labels, labelsKey } from '../../model/index.ts'
import type { StoredAlert } from '../alert/stored-alert.ts'
import { groupKeyOf, groupLabelsOf, type Route } from '../route/route.ts'
import { AlertGroup, type FlushHandler, type GroupTimer } from './alert-group.ts'
import { StartLimiter } from './start-limiter.ts'

export interface DispatcherOptions {
  readonly routesOf: (alert: StoredAlert) => readonly Route[]
  readonly clock: Clock
  readonly flushHandler: FlushHandler
  /** No first flush before this instant. */
  readonly holdUntilMs: number
  /** Timers of groups from before a restart; `undefined` starts all timers anew, as a reload does. */
  readonly resumeTimer: (groupKey: string) => GroupTimer | undefined
  readonly onTimer: (groupKey: string, timer: GroupTimer) => void
  readonly onGroupGone: (groupKey: string, receiver: string) => void
}

const MAINTENANCE_INTERVAL_MS = 30_000

/** Sorts alerts into groups along the routing tree. One per configuration; a reload builds the next. */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #groups = new Map<Route, Map<string, AlertGroup>>()
  readonly #abort = new AbortController()
  readonly #starts = new StartLimiter()
  #cancelMaintenance: () => void = () => {}

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#scheduleMaintenance()
  }

  get groupCount(): number {
    let count = 0
    for (const groups of this.#groups.values()) count += groups.size
    return count
  }

  *groups(): Iterable<AlertGroup> {
    for (const groups of this.#groups.values()) yield* groups.values()
  }

  group(route: Route, labels: Labels): AlertGroup | undefined {
    return this.#groups.get(route)?.get(labelsKey(labels))
  }

  add(alert: StoredAlert): void {
    if (this.#abort.signal.aborted) return
    const routes = this.#options.routesOf(alert)
    let { groups } = alert.memo
    if (groups === undefined || groups.some(({ isGone }) => isGone))
      alert.memo.groups = groups = this.#groupsFor(routes, alert.labels)
    for (const group of groups) group.insert(alert)
  }

  /** Alerts that some group still has to tell about. */
  heldFingerprints(): Set<string> {
    const held = new Set<string>()
    for (const group of this.groups()) for (const fingerprint of group.fingerprints()) held.add(fingerprint)
    return held
  }

  /** No new attempt begins; resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#abort.abort()
    this.#cancelMaintenance()
    await Promise.all([...this.groups()].map((group) => group.stop()))
  }

  #groupsFor(routes: readonly Route[], labels: Labels): readonly AlertGroup[] {
    return routes.length === 1
      ? this.#groupFor(routes[0]!, labels).alone
      : routes.map((route) => this.#groupFor(route, labels))
  }

  #groupFor(route: Route, alertLabels: Labels): AlertGroup {
    const { clock, flushHandler, holdUntilMs, resumeTimer, onTimer } = this.#options
    let groups = this.#groups.get(route)
    if (!groups) this.#groups.set(route, (groups = new Map()))
    const labels = groupLabelsOf(route, alertLabels)
    const id = labelsKey(labels)
    let group = groups.get(id)
    if (!group) {
      group = new AlertGroup({
        route,
        labels,
        clock,
        flushHandler,
        onTimer: (g) => onTimer(g.key, g.timer),
        holdUntilMs,
        resume: resumeTimer(groupKeyOf(route, labels)),
        signal: this.#abort.signal,
        starts: this.#starts,
      })
      groups.set(id, group)
    }
    return group
  }

  #scheduleMaintenance(): void {
    this.#cancelMaintenance = this.#options.clock.schedule(MAINTENANCE_INTERVAL_MS, () => {
      this.#removeEmptyGroups()
      this.#scheduleMaintenance()
    })
  }

  #removeEmptyGroups(): void {
    for (const groups of this.#groups.values()) {
      for (const [id, group] of groups) {
        if (!group.isEmpty) continue
        groups.delete(id)
        // It has nothing left to flush; this only takes its timer down.
        group.isGone = true
        void group.stop()
        this.#options.onGroupGone(group.key, group.route.receiver)
      }
    }
  }
}
