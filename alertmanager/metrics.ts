import { Counter, Histogram, type Registry } from '../lib/index.ts'

/** What happens, counted under the reference's names. */
export interface AlertmanagerMetrics {
  readonly received: Counter<'status' | 'version'>
  readonly invalid: Counter<'version'>
  readonly notifications: Counter<'integration'>
  readonly failed: Counter<'integration' | 'reason'>
  readonly requests: Counter<'integration'>
  readonly requestsFailed: Counter<'integration'>
  readonly suppressed: Counter<'reason'>
  readonly latency: Histogram<'integration'>
}

export function createMetrics(registry: Registry): AlertmanagerMetrics {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `alertmanager_${name}`, help, labelNames, registers })
  return {
    received: counter('alerts_received_total', 'Alerts received, by status.', ['status', 'version']),
    invalid: counter('alerts_invalid_total', 'Alerts received that were refused.', ['version']),
    notifications: counter('notifications_total', 'Notifications begun, by integration.', ['integration']),
    failed: counter('notifications_failed_total', 'Notifications given up, by integration and cause.', [
      'integration',
      'reason',
    ]),
    requests: counter('notification_requests_total', 'Attempts to send a notification.', ['integration']),
    requestsFailed: counter('notification_requests_failed_total', 'Failed attempts to send a notification.', [
      'integration',
    ]),
    suppressed: counter('notifications_suppressed_total', 'Alerts kept out of notifications, by cause.', ['reason']),
    latency: new Histogram({
      name: 'alertmanager_notification_latency_seconds',
      help: 'Time from the first attempt to the end of a notification.',
      labelNames: ['integration'],
      buckets: [1, 5, 10, 15, 20],
      registers,
    }),
  }
}
