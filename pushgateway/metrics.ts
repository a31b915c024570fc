import type { Registry } from '../lib/index.ts'
import { Counter, Gauge, Summary } from '../lib/metrics.ts'

export interface PushMetrics {
  readonly requests: Counter<'code' | 'handler' | 'method'>
  readonly pushSeconds: Summary<'method'>
  readonly pushBytes: Summary<'method'>
  readonly expired: Counter
}

/** Read whenever the page is. */
export interface PushFigures {
  readonly groups: () => number
  readonly metrics: () => number
  readonly overdueGroups: () => number
}

const PERCENTILES = [0.1, 0.5, 0.9]

export function createPushMetrics(registry: Registry, version: string, figures: PushFigures): PushMetrics {
  const registers = [registry]
  const buildInfo = new Gauge({
    name: 'pushgateway_build_info',
    help: 'The version that runs; always 1.',
    labelNames: ['branch', 'goversion', 'revision', 'version'],
    registers,
  })
  buildInfo.set({ branch: '', goversion: '', revision: '', version }, 1)
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('pushgateway_groups', 'Groups that are kept.', figures.groups)
  gauge('pushgateway_metrics', 'Pushed metrics that are kept.', figures.metrics)
  gauge('pushgateway_overdue_groups', 'Groups not pushed for much longer than usual.', figures.overdueGroups)
  return {
    requests: new Counter({
      name: 'pushgateway_http_requests_total',
      help: 'Requests answered, by status, handler and method.',
      labelNames: ['code', 'handler', 'method'],
      registers,
    }),
    pushSeconds: new Summary({
      name: 'pushgateway_http_push_duration_seconds',
      help: 'How long accepting a push took, in seconds.',
      labelNames: ['method'],
      percentiles: PERCENTILES,
      registers,
    }),
    pushBytes: new Summary({
      name: 'pushgateway_http_push_size_bytes',
      help: 'Size of the pushes as sent, in bytes.',
      labelNames: ['method'],
      percentiles: PERCENTILES,
      registers,
    }),
    expired: new Counter({
      name: 'pushgateway_expired_groups_total',
      help: 'Groups removed because their time to live was over.',
      registers,
    }),
  }
}
