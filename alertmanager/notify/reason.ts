import type { FlushedAlert, GroupFlush } from '../dispatch/alert-group.ts'
import { alertHashOf } from '../migrate/alert-hash.ts'
import type { Errand } from './duty.ts'
import { type NotificationLogEntry, type NotificationReason, notificationReason } from './notification-log.ts'
import type { Integration } from './notifier.ts'
import { isStepDone } from './told.ts'

/** What decides whether one integration is told of a group. */
export interface ReasonFacts {
  readonly flush: GroupFlush
  /** What of the flush may be told. */
  readonly alerts: readonly FlushedAlert[]
  readonly target: Integration
  /** What was last told. */
  readonly last: NotificationLogEntry | undefined
  /** Fingerprints of what may have been told as firing without a record of it. */
  readonly perhapsTold: ReadonlySet<string>
}

/** Why to tell; `undefined` = there is nothing to tell. */
export function reasonFor(errand: Errand, facts: ReasonFacts): NotificationReason | undefined {
  const { last, alerts, perhapsTold } = facts
  if (errand.kind === 'flapping') return 'flapping'
  if (errand.kind === 'step') return last && isStepDone(last, errand) ? undefined : 'escalated'
  const reason = reasonByLog(facts, errand.kind === 'tick' ? errand.anew : new Set())
  if (reason === undefined && hasEnded(alerts, perhapsTold)) return 'all alerts resolved'
  return errand.kind === 'tick' || reason === 'all alerts resolved' ? reason : undefined
}

/** @param anew fingerprints of firing alerts that count as new */
function reasonByLog(
  { flush, alerts, target, last }: ReasonFacts,
  anew: ReadonlySet<string>,
): NotificationReason | undefined {
  const known = last?.knowsBy
    ? { firing: hashesOf(alerts, false), resolved: hashesOf(alerts, true) }
    : { firing: fingerprintsOf(alerts, false), resolved: fingerprintsOf(alerts, true) }
  return notificationReason(
    last && anew.size > 0 ? { ...last, firing: new Set([...last.firing].filter((one) => !anew.has(one))) } : last,
    { ...known, atMs: flush.tickAtMs },
    { sendResolved: target.sendResolved, repeatIntervalMs: flush.route.repeatIntervalMs },
  )
}

/** Whether nothing fires any more, and something did of which somebody may have been told. */
const hasEnded = (alerts: readonly FlushedAlert[], perhapsTold: ReadonlySet<string>): boolean =>
  alerts.every(({ resolved }) => resolved) && alerts.some(({ alert }) => perhapsTold.has(alert.fingerprint))

/** Of the notification log. */
export const entryKey = (groupKey: string, target: Integration): string =>
  `${groupKey}:${target.receiver}/${target.name}/${target.index}`

export const fingerprintsOf = (alerts: readonly FlushedAlert[], resolved: boolean): Set<string> =>
  new Set(alerts.filter((a) => a.resolved === resolved).map((a) => a.alert.fingerprint))

/** What entries that were taken over from the original know alerts by. */
const hashesOf = (alerts: readonly FlushedAlert[], resolved: boolean): Set<string> =>
  new Set(alerts.filter((a) => a.resolved === resolved).map((a) => alertHashOf(a.alert.labels)))

/** The same for retries of one message, another for the next message. */
export const contentId = (alerts: readonly FlushedAlert[], reason: string, errand: Errand): string =>
  [
    errand.kind === 'step' ? `${reason} ${errand.mark}` : reason,
    ...alerts.map((a) => `${a.alert.fingerprint}${a.resolved ? '-' : '+'}${a.alert.startsAtMs}`),
  ].join(' ')
