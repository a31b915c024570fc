import { errorMessage, type Logger } from '../../lib/index.ts'
import { type Alert, type AlertSink, type Labels, labelValue, withLabels } from '../../model/index.ts'

/** A label set after relabelling; `undefined` where the rules drop it. */
export type RelabelFunction = (labels: Labels) => Labels | undefined

/** Every alert to every sink; one that fails does not keep the others from it. */
export function fanOutSink(sinks: readonly AlertSink[], logger: Logger): AlertSink {
  return {
    async send(alerts) {
      const results = await Promise.allSettled(sinks.map((sink) => sink.send(alerts)))
      for (const result of results) {
        if (result.status === 'rejected')
          logger.error({ module: 'notifier', reason: errorMessage(result.reason) }, 'an alert sink failed')
      }
    },
  }
}

/** What happens to alerts before any Alertmanager sees them. Both are read at each sending: a reload may change them. */
export interface AlertLabelling {
  /** Added where the alert has no label of that name. */
  readonly externalLabels: () => Labels
  /** `alert_relabel_configs`. */
  readonly relabel: () => RelabelFunction
}

/** Adds external labels and relabels, then hands on what is left. */
export function labellingSink(sink: AlertSink, labelling: AlertLabelling): AlertSink {
  return {
    async send(alerts) {
      const labelled = relabelAlerts(withExternalLabels(alerts, labelling.externalLabels()), labelling.relabel())
      if (labelled.length > 0) await sink.send(labelled)
    },
  }
}

function withExternalLabels(alerts: readonly Alert[], externalLabels: Labels): readonly Alert[] {
  if (externalLabels.length === 0) return alerts
  const pairs: [string, string][] = []
  for (let i = 0; i < externalLabels.length; i += 2) pairs.push([externalLabels[i]!, externalLabels[i + 1]!])
  return alerts.map((alert) => {
    const missing = pairs.filter(([name]) => labelValue(alert.labels, name) === '')
    return { ...alert, labels: withLabels(alert.labels, missing) }
  })
}

/** Alerts that the rules drop, or leave without any label, are gone. */
export function relabelAlerts(alerts: readonly Alert[], relabel: RelabelFunction): Alert[] {
  return alerts.flatMap((alert) => {
    const labels = relabel(alert.labels)
    return labels === undefined || labels.length === 0 ? [] : [{ ...alert, labels }]
  })
}
