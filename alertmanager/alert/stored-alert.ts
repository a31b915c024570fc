import { compareLabels, compareStrings, type Labels, labelValue } from '../../model/index.ts'

/** An alert as this Alertmanager knows it. Immutable; an update is a new object. Times are Unix milliseconds. */
export interface StoredAlert {
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

export const isResolved = (alert: StoredAlert, nowMs: number): boolean => alert.endsAtMs <= nowMs

/**
 * What is known after `next` arrived: one continuous activity when the two overlap in time, else just the new one.
 */
export function mergeAlerts(old: StoredAlert, next: StoredAlert, nowMs: number): StoredAlert {
  const endsInside = next.endsAtMs > old.startsAtMs && next.endsAtMs < old.endsAtMs
  const startsInside = next.startsAtMs > old.startsAtMs && next.startsAtMs < old.endsAtMs
  if (!endsInside && !startsInside) return next
  return {
    ...next,
    startsAtMs: Math.min(old.startsAtMs, next.startsAtMs),
    endsAtMs: mergedEnd(old, next, nowMs),
  }
}

function mergedEnd(old: StoredAlert, next: StoredAlert, nowMs: number): number {
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
