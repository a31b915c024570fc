import { compareLabels, compareStrings, type Labels, labelValue } from '../../model/index.ts'
import type { AlertGroup } from '../dispatch/alert-group.ts'
import type { Inhibitor, RuleState } from '../inhibit/inhibitor.ts'
import type { Route } from '../route/route.ts'

const NONE: readonly never[] = []

/** What others found out about an alert's labels, so as not to look again at each of its messages. */
export class AlertMemo {
  /** The routing tree that the rest follows from. */
  tree: Route | undefined = undefined
  routes: readonly Route[] = NONE
  groups: readonly AlertGroup[] | undefined = undefined
  /** Whose rules the next ones are. */
  inhibitor: Inhibitor | undefined = undefined
  inhibitRules: readonly RuleState[] = NONE
}

/** An alert as it arrives, what its sender left out filled in. Times are Unix milliseconds. */
export interface IncomingAlert {
  readonly fingerprint: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  /** The alert counts as resolved from here on unless it is sent again. */
  readonly endsAtMs: number
  /** When it was received. */
  readonly updatedAtMs: number
  readonly generatorUrl: string
  /** True when the sender named no end, so that `endsAtMs` is `resolve_timeout` after the last message. */
  readonly timeout: boolean
}

/** An alert as this Alertmanager knows it. Immutable but for its memo; an update is a new object with the same memo. */
export interface StoredAlert extends IncomingAlert {
  readonly memo: AlertMemo
}

/** An alert as it is known from here on. */
export const storedAlert = (alert: IncomingAlert, memo = new AlertMemo()): StoredAlert => ({
  fingerprint: alert.fingerprint,
  labels: alert.labels,
  annotations: alert.annotations,
  startsAtMs: alert.startsAtMs,
  endsAtMs: alert.endsAtMs,
  updatedAtMs: alert.updatedAtMs,
  generatorUrl: alert.generatorUrl,
  timeout: alert.timeout,
  memo,
})

export const isResolved = (alert: IncomingAlert, nowMs: number): boolean => alert.endsAtMs <= nowMs

/**
 * What is known after `next` arrived: one continuous activity when the two overlap in time, else just the new one. Texts that
 * stayed the same are the old ones, so that they are in memory once.
 */
export function mergeAlerts(old: StoredAlert, next: IncomingAlert, nowMs: number): StoredAlert {
  const endsInside = next.endsAtMs > old.startsAtMs && next.endsAtMs < old.endsAtMs
  const startsInside = next.startsAtMs > old.startsAtMs && next.startsAtMs < old.endsAtMs
  const isContinued = endsInside || startsInside
  return {
    fingerprint: old.fingerprint,
    labels: old.labels,
    annotations: sameLabels(old.annotations, next.annotations) ? old.annotations : next.annotations,
    startsAtMs: isContinued ? Math.min(old.startsAtMs, next.startsAtMs) : next.startsAtMs,
    endsAtMs: isContinued ? mergedEnd(old, next, nowMs) : next.endsAtMs,
    updatedAtMs: next.updatedAtMs,
    generatorUrl: old.generatorUrl === next.generatorUrl ? old.generatorUrl : next.generatorUrl,
    timeout: next.timeout,
    memo: old.memo,
  }
}

const sameLabels = (a: Labels, b: Labels): boolean =>
  a === b || (a.length === b.length && a.every((text, i) => text === b[i]))

function mergedEnd(old: IncomingAlert, next: IncomingAlert, nowMs: number): number {
  if (old.endsAtMs <= next.endsAtMs) return next.endsAtMs
  // Of two ends in the past the later is true; an end that the sender named outlives a mere timeout.
  if (isResolved(next, nowMs)) return isResolved(old, nowMs) ? old.endsAtMs : next.endsAtMs
  return old.timeout ? next.endsAtMs : old.endsAtMs
}

/** Order inside notifications: by job, by instance (alerts without one last), then fewer labels first, then by labels. */
export function compareAlerts(a: StoredAlert, b: StoredAlert): number {
  for (const name of ['job', 'instance']) {
    const x = labelValue(a.labels, name)
    const y = labelValue(b.labels, name)
    if (x === y) continue
    if (x === '') return 1
    if (y === '') return -1
    return compareStrings(x, y)
  }
  return compareLabelSets(a.labels, b.labels)
}

/** Fewer labels first, then label by label. */
export const compareLabelSets = (a: Labels, b: Labels): number => a.length - b.length || compareLabels(a, b)
