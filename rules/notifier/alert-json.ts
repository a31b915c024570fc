import { type Alert, labelsToRecord } from '../../model/index.ts'

/** The body of `POST /api/v2/alerts`. */
export function alertsJson(alerts: readonly Alert[]): string {
  return JSON.stringify(
    alerts.map((alert) => ({
      labels: labelsToRecord(alert.labels),
      annotations: labelsToRecord(alert.annotations),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: new Date(alert.endsAtMs).toISOString(),
      generatorURL: alert.generatorUrl,
    })),
  )
}
