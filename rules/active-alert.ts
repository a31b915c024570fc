import type { Labels } from '../model/index.ts'

export type AlertState = 'inactive' | 'pending' | 'firing'

/** What a rule remembers of one label set that its expression has returned. Times are Unix milliseconds. */
export interface ActiveAlert {
  readonly labels: Labels
  annotations: Labels
  state: AlertState
  value: number
  activeAtMs: number
  firedAtMs: number | undefined
  resolvedAtMs: number | undefined
  lastSentAtMs: number | undefined
  keepFiringSinceMs: number | undefined
  /** Labels of the series that are written for it in this state; `undefined` before the first time. */
  series: { readonly state: AlertState; readonly alerts: Labels; readonly forState: Labels } | undefined
}

/** Resolved alerts are kept and sent again for so long, in case an Alertmanager was away. */
const RESOLVED_RETENTION_MS = 15 * 60_000

export interface StateTimes {
  readonly forMs: number
  readonly keepFiringForMs: number
}

/**
 * Moves one alert to the evaluation at `timeMs`.
 *
 * @param isReturned whether the expression returned its label set
 * @returns `forget` when nothing needs to remember it, `silent` when it is over but still to be told, else `active`
 */
export function advanceAlert(
  alert: ActiveAlert,
  isReturned: boolean,
  timeMs: number,
  times: StateTimes,
): 'active' | 'silent' | 'forget' {
  if (isReturned) alert.keepFiringSinceMs = undefined
  else if (!keepsFiring(alert, timeMs, times.keepFiringForMs)) return endAlert(alert, timeMs)
  if (alert.state === 'pending' && timeMs - alert.activeAtMs >= times.forMs) {
    alert.state = 'firing'
    alert.firedAtMs = timeMs
  }
  return 'active'
}

function keepsFiring(alert: ActiveAlert, timeMs: number, keepFiringForMs: number): boolean {
  if (alert.state !== 'firing' || keepFiringForMs === 0) return false
  alert.keepFiringSinceMs ??= timeMs
  return timeMs - alert.keepFiringSinceMs < keepFiringForMs
}

function endAlert(alert: ActiveAlert, timeMs: number): 'silent' | 'forget' {
  const isOld = alert.resolvedAtMs !== undefined && timeMs - alert.resolvedAtMs > RESOLVED_RETENTION_MS
  if (alert.state === 'pending' || isOld) return 'forget'
  if (alert.state === 'firing') {
    alert.state = 'inactive'
    alert.resolvedAtMs = timeMs
  }
  return 'silent'
}

/** Firing ones again after the delay, resolved ones at once and then likewise. */
export function needsSending(alert: ActiveAlert, timeMs: number, resendDelayMs: number): boolean {
  if (alert.state === 'pending') return false
  if (alert.lastSentAtMs === undefined) return true
  if (alert.resolvedAtMs !== undefined && alert.resolvedAtMs > alert.lastSentAtMs) return true
  return alert.lastSentAtMs + resendDelayMs < timeMs
}
