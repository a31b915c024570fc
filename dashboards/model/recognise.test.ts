import { expect, test } from 'vitest'
import { durationFamilies, recogniseRed } from './recognise.ts'

test('finds classic histograms by name and native ones by metadata, plain names first', () => {
  const names = new Set([
    'prometheus_http_request_duration_seconds_bucket',
    'http_request_duration_seconds_bucket',
    'http_request_duration_seconds_count',
    'rpc_request_duration_ms',
    'job_duration_seconds_bucket',
    'slow_request_duration_seconds', // A summary: no buckets, no histogram type.
  ])
  expect(durationFamilies(names, { rpc_request_duration_ms: [{ type: 'histogram', help: '' }] })).toEqual([
    { family: 'http_request_duration_seconds', native: false, unit: 's' },
    { family: 'prometheus_http_request_duration_seconds', native: false, unit: 's' },
    { family: 'rpc_request_duration_ms', native: true, unit: 'ms' },
  ])
})

test('takes the labels that are there', () => {
  const family = { family: 'http_request_duration_seconds', native: false, unit: 's' as const }
  expect(recogniseRed('shop', family, new Set(['job', 'le', 'route', 'method', 'status_code']))).toEqual({
    job: 'shop',
    ...family,
    statusLabel: 'status_code',
    routeLabel: 'route',
    methodLabel: 'method',
  })
  expect(recogniseRed('p', family, new Set(['handler']))).toEqual({ job: 'p', ...family, routeLabel: 'handler' })
})
