import type { Registry } from '../lib/index.ts'
import { Counter, Gauge, Summary } from '../lib/metrics.ts'

export interface PushMetrics {
  readonly requests: Counter<'code' | 'handler' | 'method'>
  readonly pushSeconds: Summary<'method'>
  readonly pushBytes: Summary<'method'>
}

const PERCENTILES = [0.1, 0.5, 0.9]

export function createPushMetrics(registry: Registry, version: string): PushMetrics {
  const registers = [registry]
  const buildInfo = new Gauge({
    name: 'pushgateway_build_info',
    help: 'The version that runs; always 1.',
    labelNames: ['branch', 'goversion', 'revision', 'version'],
    registers,
  })
  buildInfo.set({ branch: '', goversion: '', revision: '', version }, 1)
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
  }
}
