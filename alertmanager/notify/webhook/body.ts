import { labelsToRecord } from '../../../model/index.ts'
import type { NotificationAlert } from '../../../template/index.ts'
import { messageOf } from '../message.ts'
import type { Notification } from '../notifier.ts'

const GO_ZERO_TIME = '0001-01-01T00:00:00Z'

/** @param alertsMax 0 = all */
export function webhookBody(notification: Notification, alertsMax: number): Record<string, unknown> {
  const message = messageOf(notification)
  const alerts = alertsMax > 0 ? message.alerts.slice(0, alertsMax) : message.alerts
  return {
    receiver: message.receiver,
    status: message.status,
    alerts: alerts.map(alertBody),
    groupLabels: labelsToRecord(message.groupLabels),
    commonLabels: labelsToRecord(message.commonLabels),
    commonAnnotations: labelsToRecord(message.commonAnnotations),
    routeLabels: labelsToRecord(message.routeLabels),
    externalURL: message.externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: message.alerts.length - alerts.length,
    notification_reason: message.notificationReason,
  }
}

const alertBody = (alert: NotificationAlert): Record<string, unknown> => ({
  status: alert.status,
  labels: labelsToRecord(alert.labels),
  annotations: labelsToRecord(alert.annotations),
  startsAt: goTime(alert.startsAtMs),
  endsAt: alert.endsAtMs === undefined ? GO_ZERO_TIME : goTime(alert.endsAtMs),
  generatorURL: alert.generatorUrl,
  fingerprint: alert.fingerprint,
})

/** As Go marshals a time: no zeros at the end of the fraction. */
const goTime = (atMs: number): string => new Date(atMs).toISOString().replace(/\.?0+Z$/, 'Z')
