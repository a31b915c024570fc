import { expect, test } from 'vitest'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { retentionFaults, retentionSettingsOf, type StorageSection, storageSchema } from './storage-schema.ts'

const parse = (text: string) => parseConfig<StorageSection>('storage.yml', text, storageSchema)

test('retention by selector and downsampling become settings of the store', () => {
  const { value } = parse(`
retention: [{ match: '{job="debug", env!~"prod.*"}', keep: 2d }, { match: noisy_total, keep: 12h }]
downsampling: [{ resolution: 1h, keep: 2y }, { resolution: 5m, keep: 90d }]
`)
  const { retentionRules, tiers } = retentionSettingsOf(value)
  expect(retentionRules?.map(({ retentionMs }) => retentionMs)).toEqual([2 * 86_400_000, 12 * 3_600_000])
  expect(retentionRules?.[0]?.matchers).toMatchObject([
    { type: '=', name: 'job', value: 'debug' },
    { type: '!~', name: 'env', value: 'prod.*' },
  ])
  expect(retentionRules?.[1]?.matchers).toMatchObject([{ type: '=', name: '__name__', value: 'noisy_total' }])
  // Finest first.
  expect(tiers).toEqual([
    { resolutionMs: 300_000, retentionMs: 90 * 86_400_000 },
    { resolutionMs: 3_600_000, retentionMs: 730 * 86_400_000 },
  ])
  expect(retentionSettingsOf(undefined)).toEqual({ retentionRules: [], tiers: [] })
})

test.each([
  ['retention: [{ match: "{job=", keep: 2d }]', 'storage.yml:1:15: retention.0.match: '],
  ['retention: [{ match: up, keep: 0s }]', 'storage.yml:1:26: retention.0.keep: must be more than 0'],
  [
    'downsampling:\n  - { resolution: 7m, keep: 90d }',
    'storage.yml:2:7: downsampling.0.resolution: expected a duration',
  ],
  ['downsampling: [{ resolution: 5m }]', 'downsampling.0.keep: expected a duration'],
  [
    'downsampling: [{ resolution: 5m, keep: 1d }, { resolution: 300s, keep: 2d }]',
    'storage.yml:1:48: downsampling.1.resolution: there is another entry for 5m',
  ],
  ['downsampling: [{ resolution: 5m, keep: 1d, kep: 2 }]', 'kep'],
])('%s is refused at its place', (text, fault) => {
  try {
    parse(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return expect((error as ConfigError).faults.join('\n')).toContain(fault)
  }
  throw new Error('the configuration was accepted')
})

test('what can have no effect beside the retention of all samples is a fault', () => {
  const { value } = parse('{ retention: [{ match: up, keep: 20d }], downsampling: [{ resolution: 5m, keep: 10d }] }')
  const faultsFor = (days: number) =>
    retentionFaults(value, days * 86_400_000, (path, why) => `${path.join('.')}: ${why}`)
  expect(faultsFor(15)).toEqual([
    'belltower.storage.retention.0.keep: samples are kept for 15d only, see storage.tsdb.retention.time',
    'belltower.storage.downsampling.0.keep: the samples themselves are kept for 15d, see storage.tsdb.retention.time',
  ])
  expect(retentionFaults(value, undefined, () => '')).toEqual([])
})
