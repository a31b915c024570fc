import { createHash } from 'node:crypto'
import type { Registry } from '../lib/index.ts'
import { Counter, counterOf, Gauge, gaugeOf, Histogram } from '../lib/metrics.ts'
import type { NotificationLog } from './notify/notification-log.ts'
import type { Integration } from './notify/notifier.ts'
import { silenceState, type Silences } from './silence/silences.ts'

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
  readonly httpDuration: Histogram<'handler' | 'method' | 'code'>
  readonly httpInFlight: Gauge<'method'>
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
    httpDuration: new Histogram({
      name: 'alertmanager_http_request_duration_seconds',
      help: 'Time to answer a request.',
      labelNames: ['handler', 'method', 'code'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    httpInFlight: new Gauge({
      name: 'alertmanager_http_requests_in_flight',
      help: 'Requests being answered.',
      labelNames: ['method'],
      registers,
    }),
  }
}

/** What is the case, read when it is scraped. */
export interface StateFacts {
  /** Of alerts that have not ended. */
  alertCounts(): { readonly active: number; readonly suppressed: number }
  silences(): Silences
  notificationLog(): NotificationLog
  groupCount(): number
  receiverCount(): number
  /** Other instances that are there. */
  peerCount(): number
  integrations(): readonly Integration[]
  inhibitionRuleCount(): number
  lastReload(): { readonly successful: boolean; readonly atMs: number }
  configHash(): number
  nowMs(): number
  readonly version: string
}

export function registerStateMetrics(registry: Registry, facts: StateFacts): void {
  const name = (suffix: string): string => `alertmanager_${suffix}`
  const gauge = (suffix: string, help: string, read: () => number): void => gaugeOf(registry, name(suffix), help, read)
  gauge('dispatcher_aggregation_groups', 'Groups of alerts.', facts.groupCount)
  gauge('receivers', 'Receivers in use.', facts.receiverCount)
  gauge('integrations', 'Integrations in use.', () => facts.integrations().length)
  gauge('inhibition_rules', 'Inhibition rules.', facts.inhibitionRuleCount)
  gauge('config_hash', 'Hash of the configuration in force.', facts.configHash)
  gauge('config_last_reload_successful', 'Whether the last reload worked.', () => Number(facts.lastReload().successful))
  gauge(
    'config_last_reload_success_timestamp_seconds',
    'When a configuration last came into force.',
    () => facts.lastReload().atMs / 1000,
  )
  gauge('cluster_enabled', 'Whether this instance is one of a cluster.', () => Number(facts.peerCount() > 0))
  gauge('cluster_members', 'Instances that are there, this one among them.', () => facts.peerCount() + 1)
  counterOf(registry, name('silences_queries_total'), 'Look-ups of silences.', () => facts.silences().queryCount)
  counterOf(
    registry,
    name('nflog_queries_total'),
    'Look-ups of sent notifications.',
    () => facts.notificationLog().queryCount,
  )
  byState(registry, name('alerts'), 'Alerts by state.', () => ({ ...facts.alertCounts(), unprocessed: 0 }))
  byState(registry, name('silences'), 'Silences by state.', () => {
    const counts = { active: 0, pending: 0, expired: 0 }
    for (const silence of facts.silences().all()) counts[silenceState(silence, facts.nowMs())]++
    return counts
  })
  new Gauge({ name: name('build_info'), help: 'The version.', labelNames: ['version'], registers: [registry] }).set(
    { version: facts.version },
    1,
  )
}

function byState(registry: Registry, name: string, help: string, count: () => Record<string, number>): void {
  new Gauge({
    name,
    help,
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, found] of Object.entries(count())) this.set({ state }, found)
    },
  })
}

/** A number that fits a float64 without loss. */
export const hash48 = (text: string): number => createHash('md5').update(text).digest().readUIntBE(0, 6)
