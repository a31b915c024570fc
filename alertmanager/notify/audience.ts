import { type Labels, labelsFromEntries, labelsFromRecord } from '../../model/index.ts'
import type { FlushedAlert, GroupFlush } from '../dispatch/alert-group.ts'
import type { Inhibitor } from '../inhibit/inhibitor.ts'
import type { AlertmanagerMetrics } from '../metrics.ts'
import { alertHashOf } from '../migrate/alert-hash.ts'
import type { FlappingView } from '../oncall/flap-damper.ts'
import type { MutedResolved } from '../oncall/types.ts'
import type { Route } from '../route/route.ts'
import { intervalsContain, type TimeInterval } from '../route/time-interval.ts'
import type { AlertmanagerState } from '../state.ts'
import type { NotificationLogEntry } from './notification-log.ts'

export interface AudienceOptions {
  readonly state: AlertmanagerState
  readonly inhibitor: Inhibitor
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  readonly metrics: AlertmanagerMetrics
  readonly nowMs: number
  readonly mutedResolved: MutedResolved
  /** Of the receiver's integrations in the notification log: who is given the notice that an alert flaps. */
  readonly ownKeys: readonly string[]
  /** Of everybody who may have been told about the group. */
  readonly entries: readonly (NotificationLogEntry | undefined)[]
  /** Fingerprints of what each of them may have been told without a record of it. */
  readonly perhapsTold: readonly ReadonlySet<string>[]
}

/** What of a flush may be told. */
export interface Audible {
  readonly alerts: readonly FlushedAlert[]
  /** Alerts that are held for flapping and of which not everybody has been told so, marked. */
  readonly notices: readonly FlushedAlert[]
  /** Alerts that are held or muted and that are not forgotten for that: whoever was told of them is to hear how they end. */
  readonly remembered: ReadonlySet<string>
  /** Resolved alerts that stay in the group. */
  readonly kept: ReadonlySet<string>
}

/** Inhibition, times, silences, then flapping. */
export function audibleOf(flush: GroupFlush, options: AudienceOptions): Audible {
  const { state, ownKeys, entries, perhapsTold, mutedResolved, metrics, nowMs } = options
  const { heard, muted } = unmuted(flush, options)
  const isTold = (one: FlushedAlert): boolean =>
    entries.some((entry) => entry !== undefined && knows(entry, one)) ||
    perhapsTold.some((told) => told.has(one.alert.fingerprint))
  const isLate = (one: FlushedAlert): boolean => mutedResolved !== 'drop' && one.resolved && isTold(one)
  const late = muted.filter(isLate)
  const through = mutedResolved === 'through' ? late : []
  const audible = [...heard, ...through]
  const held = new Map<FlushedAlert, FlappingView>()
  for (const one of audible) {
    const view = state.flapping.held(one.alert.fingerprint, nowMs)
    if (view) held.set(one, view)
  }
  if (held.size > 0) metrics.suppressed.inc({ reason: 'flapping' }, held.size)
  // In the order of the flush, which is the order of notification.
  const isAudible = new Set(audible.filter((one) => !held.has(one)))
  const alerts = flush.alerts.filter((one) => isAudible.has(one))
  const isNoticed = ({ alert }: FlushedAlert, key: string): boolean => state.flapping.isNoticed(alert.fingerprint, key)
  const fingerprint = ({ alert }: FlushedAlert): string => alert.fingerprint
  return {
    alerts,
    notices: [...held]
      .filter(([one]) => !ownKeys.every((key) => isNoticed(one, key)))
      .map(([one, view]) => noticeOf(one, view)),
    remembered: new Set([...held.keys(), ...(mutedResolved === 'drop' ? [] : muted)].map(fingerprint)),
    kept: new Set([...held.keys(), ...(mutedResolved === 'after' ? late : [])].map(fingerprint)),
  }
}

function unmuted(
  flush: GroupFlush,
  { inhibitor, timeIntervals, state, metrics, nowMs }: AudienceOptions,
): { heard: readonly FlushedAlert[]; muted: readonly FlushedAlert[] } {
  const suppressed = (reason: string, count: number): void => metrics.suppressed.inc({ reason }, count)
  const isInhibited = ({ alert }: FlushedAlert): boolean => inhibitor.sourceFor(alert, nowMs) !== undefined
  const free = flush.alerts.filter((one) => !isInhibited(one))
  if (free.length < flush.alerts.length) suppressed('inhibition', flush.alerts.length - free.length)
  if (free.length === 0) return { heard: [], muted: flush.alerts }
  const muting = mutingIntervals(flush.route, timeIntervals, flush.tickAtMs)
  if (muting) {
    suppressed(muting.reason, free.length)
    return { heard: [], muted: flush.alerts }
  }
  const heard = free.filter(({ alert }) => state.silences.mutedBy(alert.fingerprint, alert.labels).length === 0)
  if (heard.length < free.length) suppressed('silence', free.length - heard.length)
  if (heard.length === flush.alerts.length) return { heard, muted: [] }
  const isHeard = new Set(heard)
  return { heard, muted: flush.alerts.filter((one) => !isHeard.has(one)) }
}

/** Whether the alert was told as firing. Entries that were taken over from the original know alerts by its own hash. */
const knows = ({ firing, knowsBy }: NotificationLogEntry, { alert }: FlushedAlert): boolean =>
  firing.size > 0 && firing.has(knowsBy ? alertHashOf(alert.labels) : alert.fingerprint)

/** It counts as firing, whatever it does at the moment, and says why it is told about. */
function noticeOf({ alert }: FlushedAlert, view: FlappingView): FlushedAlert {
  const flapping =
    `Changed its state ${view.changeCount} times since ${new Date(view.sinceMs).toISOString()} or shortly before; ` +
    'held until it is stable.'
  return { alert: { ...alert, annotations: withPair(alert.annotations, flapping) }, resolved: false }
}

function withPair(annotations: Labels, flapping: string): Labels {
  const pairs: [string, string][] = []
  for (let i = 0; i < annotations.length; i += 2) pairs.push([annotations[i]!, annotations[i + 1]!])
  return pairs.length === 0 ? labelsFromRecord({ flapping }) : labelsFromEntries([...pairs, ['flapping', flapping]])
}

/** The time intervals of a route that keep it quiet at an instant: inside a mute one, or outside all active ones. */
export function mutingIntervals(
  route: Route,
  timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>,
  atMs: number,
): { reason: 'active_time_interval' | 'mute_time_interval'; names: readonly string[] } | undefined {
  const contains = (name: string): boolean => intervalsContain(timeIntervals.get(name) ?? [], atMs)
  const active = route.activeTimeIntervals
  if (active.length > 0 && !active.some(contains)) return { reason: 'active_time_interval', names: active }
  const names = route.muteTimeIntervals.filter(contains)
  return names.length > 0 ? { reason: 'mute_time_interval', names } : undefined
}
