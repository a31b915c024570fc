import { expect, test } from 'vitest'
import type { Appender } from '../../model/index.ts'
import { otlpConfigOf } from '../config/otlp-schema.ts'
import type { RemoteMetadata } from '../remote-write/remote-metadata.ts'
import { decodeOtlpJson } from './decode-json.ts'
import { Translation } from './translate.ts'

test('a point without a time is no reason to write years of target_info', () => {
  let appends = 0
  const appender = { append: () => void appends++ } as unknown as Appender
  const metadata = { set: () => {} } as unknown as RemoteMetadata
  const translation = new Translation(appender, { config: otlpConfigOf(undefined), metadata, lookbackMs: 300_000 })
  const dataPoints = [{ asDouble: 1 }, { asDouble: 2, timeUnixNano: `${Date.UTC(2026, 0, 5)}000000` }]
  const attributes = ['service.name', 'host'].map((key) => ({ key, value: { stringValue: 'x' } }))
  const scopeMetrics = [{ metrics: [{ name: 'g', gauge: { dataPoints } }] }]
  const body = { resourceMetrics: [{ resource: { attributes }, scopeMetrics }] }
  for (const one of decodeOtlpJson(JSON.stringify(body))) translation.add(one)
  expect(appends).toBeGreaterThan(3)
  expect(appends).toBeLessThan(1100)
})
