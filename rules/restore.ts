import type { Logger } from '../lib/index.ts'
import { type Labels, labelsKey, quoteGo, type RangeFunction } from '../model/index.ts'
import type { ActiveAlert } from './active-alert.ts'
import { ALERTS_FOR_STATE_METRIC, forStateLabels } from './alert-series.ts'
import type { AlertingRule } from './alerting-rule.ts'

export interface RestoreOptions {
  readonly nowMs: number
  readonly queryRange: RangeFunction
  /** A state older than this is not restored. */
  readonly outageToleranceMs: number
  /** After a restart an alert stays pending for at least so long, unless it was firing before. */
  readonly gracePeriodMs: number
  readonly logger: Logger
}

/**
 * Gives the alerts of one rule the beginning that they had before the restart. A failure is logged, and the rule goes on
 * with the state that it has.
 */
export async function restoreRule(rule: AlertingRule, options: RestoreOptions): Promise<void> {
  const { nowMs, outageToleranceMs, gracePeriodMs, logger } = options
  // A rule that waits less than the grace period gains nothing.
  if (rule.config.forMs >= gracePeriodMs && rule.activeAlerts.length > 0) {
    try {
      const before = await options.queryRange(forStateSelector(rule), {
        startMs: nowMs - outageToleranceMs,
        endMs: nowMs,
      })
      restoreAlerts(rule, before, options)
    } catch (error) {
      logger.error({ alert: rule.config.name, err: error }, 'restoring the state of an alerting rule failed')
    }
  }
  rule.finishRestore()
}

const forStateSelector = (rule: AlertingRule): string =>
  `${ALERTS_FOR_STATE_METRIC}{alertname=${quoteGo(rule.config.name)}}`

type StoredSeries = Awaited<ReturnType<RangeFunction>>

function restoreAlerts(rule: AlertingRule, before: StoredSeries, options: RestoreOptions): void {
  const newest = new Map(before.map(({ labels, points }) => [labelsKey(labels), points.at(-1)]))
  for (const alert of rule.activeAlerts) {
    const key: Labels = forStateLabels(alert)
    const point = newest.get(labelsKey(key))
    // A staleness marker (a NaN) at the end says that it was over by then.
    if (point === undefined || Number.isNaN(point[1])) continue
    restoreAlert(alert, { downAtMs: point[0], activeAtMs: Math.trunc(point[1]) * 1000 }, rule.config.forMs, options)
  }
}

function restoreAlert(
  alert: ActiveAlert,
  before: { readonly downAtMs: number; readonly activeAtMs: number },
  forMs: number,
  options: RestoreOptions,
): void {
  const { nowMs, gracePeriodMs } = options
  const pendingLeftMs = forMs - (before.downAtMs - before.activeAtMs)
  if (pendingLeftMs <= 0)
    alert.activeAtMs = before.activeAtMs // It was firing, and fires at the next evaluation.
  else if (pendingLeftMs < gracePeriodMs) alert.activeAtMs = nowMs + gracePeriodMs - forMs
  else alert.activeAtMs = before.activeAtMs + (nowMs - before.downAtMs) // The outage does not count.
  options.logger.debug({ alert: alert.labels, activeAtMs: alert.activeAtMs }, 'alert state restored')
}
