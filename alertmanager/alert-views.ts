// Covered by bench/load/alerts.ts: there may be a hundred thousand alerts.
import type { Clock } from '../lib/index.ts'
import type { Matcher } from '../model/index.ts'
import { compareLabelSets, isResolved, type StoredAlert } from './alert/stored-alert.ts'
import { matchesAll } from './matcher/parse.ts'
import { mutingIntervals } from './notify/audience.ts'
import { receiversOf } from './route/route.ts'
import type { Runtime } from './runtime.ts'
import type { AlertmanagerState } from './state.ts'
import type { AlertView, GroupView } from './views.ts'

const NONE: readonly string[] = []

/** Shows alerts with what becomes of them under the configuration in force. */
export class AlertViews {
  readonly #state: AlertmanagerState
  readonly #clock: Clock
  readonly #current: () => Runtime

  constructor(facts: { state: AlertmanagerState; clock: Clock; current: () => Runtime }) {
    this.#state = facts.state
    this.#clock = facts.clock
    this.#current = facts.current
  }

  /** Alerts that have not ended when the first one is taken, by fingerprint; each is looked at when it is its turn. */
  *alerts(filter: readonly Matcher[]): Generator<AlertView> {
    const { routesOf } = this.#current()
    const nowMs = this.#clock.nowMs()
    for (const bucket of byFirstDigits(this.#state.alerts.all())) {
      const viewedAtMs = this.#clock.nowMs()
      for (const alert of live(bucket, filter, nowMs).sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)))
        yield this.#view(alert, receiversOf(routesOf(alert)), NONE, viewedAtMs)
    }
  }

  /** Groups with alerts that have not ended, by labels and receiver; each is looked at when it is its turn. */
  *groups(filter: readonly Matcher[]): Generator<GroupView> {
    const { dispatcher, config } = this.#current()
    const groups = [...(dispatcher?.groups() ?? [])].sort(
      (a, b) => compareLabelSets(a.labels, b.labels) || (a.route.receiver < b.route.receiver ? -1 : 1),
    )
    for (const group of groups) {
      const { route } = group
      const nowMs = this.#clock.nowMs()
      const muting = mutingIntervals(route, config.timeIntervals, nowMs)?.names ?? NONE
      const alerts = live(group.alerts(), filter, nowMs)
      if (alerts.length === 0) continue
      const receivers = [route.receiver]
      yield {
        key: group.key,
        labels: group.labels,
        routeLabels: route.labels,
        receiver: route.receiver,
        nextFlushAtMs: group.timer.nextFlushAtMs,
        alerts: alerts.map((alert) => this.#view(alert, receivers, muting, nowMs)),
      }
    }
  }

  /** How many alerts have not ended, by whether something keeps them from being told. */
  counts(): { active: number; suppressed: number } {
    const nowMs = this.#clock.nowMs()
    const counts = { active: 0, suppressed: 0 }
    for (const alert of this.#state.alerts.all()) {
      if (isResolved(alert, nowMs)) continue
      const isMuted = this.#inhibitedBy(alert, nowMs) !== undefined || this.#silencedBy(alert).length > 0
      counts[isMuted ? 'suppressed' : 'active']++
    }
    return counts
  }

  #view(alert: StoredAlert, receivers: readonly string[], mutedBy: readonly string[], nowMs: number): AlertView {
    const inhibitor = this.#inhibitedBy(alert, nowMs)
    const inhibitedBy = inhibitor === undefined ? NONE : [inhibitor]
    return { alert, receivers, silencedBy: this.#silencedBy(alert), inhibitedBy, mutedBy }
  }

  #inhibitedBy(alert: StoredAlert, nowMs: number): string | undefined {
    return this.#current().inhibitor.sourceFor(alert, nowMs)
  }

  #silencedBy({ fingerprint, labels }: StoredAlert): readonly string[] {
    return this.#state.silences.mutedBy(fingerprint, labels)
  }
}

const live = (alerts: readonly StoredAlert[], filter: readonly Matcher[], nowMs: number): StoredAlert[] =>
  alerts.filter((alert) => !isResolved(alert, nowMs) && (filter.length === 0 || matchesAll(filter, alert.labels)))

/** In the order of their fingerprints' first two digits: sorting a hundred thousand at once would take too long. */
function byFirstDigits(alerts: Iterable<StoredAlert>): StoredAlert[][] {
  const buckets = Array.from({ length: 256 }, (): StoredAlert[] => [])
  for (const alert of alerts) {
    const { fingerprint } = alert
    buckets[16 * digitOf(fingerprint.charCodeAt(0)) + digitOf(fingerprint.charCodeAt(1))]!.push(alert)
  }
  return buckets
}

/** Of 0–9 and a–f. */
const digitOf = (code: number): number => (code < 0x40 ? code - 0x30 : code - 0x57)
