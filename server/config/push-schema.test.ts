import { expect, test } from 'vitest'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { type PushSection, pushSchema, pushSettingsOf } from './push-schema.ts'

const read = (text: string) => pushSettingsOf(parseConfig<PushSection>('push.yml', text, pushSchema).value)

test('a push section becomes settings', () => {
  const text = `
ttl: 10m
utf8_names: true
events_per_group: 5
tokens: [{ token: abc, jobs: ['backup-*'] }, { token: 'sha256:00' }]
limits: { groups: 10, metrics: 100 }
`
  expect(read(text)).toEqual({
    ttlMs: 600_000,
    utf8Names: true,
    eventsPerGroup: 5,
    tokens: [{ token: 'abc', jobs: ['backup-*'] }, { token: 'sha256:00' }],
    limits: { groups: 10, metrics: 100 },
  })
  expect(read('')).toEqual({ tokens: [], limits: {} })
  expect(pushSettingsOf(undefined)).toEqual({})
})

test('faults have their place', () => {
  expect(() => read('ttl: soon\ntokens: [{ jobs: [a] }]\nnope: 1')).toThrow(ConfigError)
})
