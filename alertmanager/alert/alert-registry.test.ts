import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { labelsFromRecord } from '../../model/index.ts'
import { decodeLog, encodeFrame, type StateRecord } from '../store/frame.ts'
import type { StateLog } from '../store/state-log.ts'
import { AlertRegistry } from './alert-registry.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { IncomingAlert, StoredAlert } from './stored-alert.ts'

const NOW_MS = Date.UTC(2026, 0, 5, 12)

class Recorded implements StateLog {
  readonly records: StateRecord[] = []

  write(record: StateRecord): void {
    this.records.push(record)
  }

  async commit(): Promise<void> {}
  async close(): Promise<void> {}
}

function incoming(id: number, more: Partial<IncomingAlert> = {}): IncomingAlert {
  const labels = labelsFromRecord({ alertname: 'A', instance: `host${id}` })
  return {
    fingerprint: fingerprintOf(labels),
    labels,
    annotations: labelsFromRecord({ summary: `host${id} is down` }),
    startsAtMs: NOW_MS,
    endsAtMs: NOW_MS + 60_000,
    updatedAtMs: NOW_MS,
    generatorUrl: '/graph',
    timeout: false,
    ...more,
  }
}

const put = (registry: AlertRegistry, alert: IncomingAlert): StoredAlert =>
  registry.put(alert, registry.get(alert.fingerprint))

/** What a registry knows, without what it remembers of the routing. */
const contents = (registry: AlertRegistry): unknown =>
  [...registry.all()].map(({ memo: _, ...facts }) => facts).sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))

/** As the file has them. */
function replayed(records: readonly StateRecord[]): AlertRegistry {
  const registry = new AlertRegistry(new ManualClock(NOW_MS))
  for (const record of decodeLog(Buffer.concat(records.map(encodeFrame))).records) registry.apply(record)
  return registry
}

const change = fc.record({
  id: fc.nat(5),
  text: fc.constantFrom('one', 'two'),
  startS: fc.integer({ min: -100, max: 100 }),
  lengthS: fc.nat(100),
  timeout: fc.boolean(),
  isLast: fc.boolean(),
})

test('its records, and its snapshot, say what it knows: new alerts, other texts, renewals, in any order', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const registry = new AlertRegistry(new ManualClock(NOW_MS))
      const log = new Recorded()
      for (const { id, text, startS, lengthS, timeout, isLast } of changes) {
        const startsAtMs = NOW_MS + startS * 1000
        const times = { startsAtMs, endsAtMs: startsAtMs + lengthS * 1000, updatedAtMs: NOW_MS + id }
        put(registry, incoming(id, { ...times, timeout, annotations: ['summary', text] }))
        if (isLast) registry.logChanges(log)
      }
      registry.logChanges(log)
      expect(contents(replayed(log.records))).toEqual(contents(registry))
      expect(contents(replayed([...registry.snapshot()]))).toEqual(contents(registry))
    }),
  )
})

test('thousands of alerts, and long ones, go into records of moderate size', () => {
  const registry = new AlertRegistry(new ManualClock(NOW_MS))
  const log = new Recorded()
  for (let id = 0; id < 2000; id++) {
    const isLong = id % 500 === 0
    put(registry, incoming(id, isLong ? { annotations: ['summary', 'ü'.repeat(300_000)] } : {}))
  }
  registry.logChanges(log)
  const puts = log.records.length
  for (let id = 0; id < 2000; id++) put(registry, { ...registry.get(incoming(id).fingerprint)! })
  registry.logChanges(log)
  expect(puts).toBeLessThan(20)
  expect(log.records.length - puts).toBeLessThan(10)
  for (const record of [...log.records, ...registry.snapshot()])
    expect(encodeFrame(record).length).toBeLessThan(1_000_000)
  expect(contents(replayed(log.records))).toEqual(contents(registry))
})

test('a renewal keeps the texts that are in memory', () => {
  const registry = new AlertRegistry(new ManualClock(NOW_MS))
  const first = put(registry, incoming(1))
  const renewed = put(registry, incoming(1, { updatedAtMs: NOW_MS + 1 }))
  expect(renewed.labels).toBe(first.labels)
  expect(renewed.annotations).toBe(first.annotations)
  expect(renewed.memo).toBe(first.memo)
  expect(renewed.updatedAtMs).toBe(NOW_MS + 1)
})

test('records of one alert each, as older logs have them, are read', () => {
  const { fingerprint, labels, annotations, startsAtMs, endsAtMs, updatedAtMs } = incoming(1)
  const registry = replayed([
    ['alert', fingerprint, labels, annotations, startsAtMs, endsAtMs, updatedAtMs, '/graph', false],
    ['alert-touch', fingerprint, startsAtMs, endsAtMs + 1, updatedAtMs + 1, true],
  ])
  const { memo: _, ...facts } = registry.get(fingerprint)!
  expect(facts).toEqual(incoming(1, { endsAtMs: endsAtMs + 1, updatedAtMs: updatedAtMs + 1, timeout: true }))
})

test('what is forgotten is not found by half a fingerprint either', () => {
  const clock = new ManualClock(NOW_MS)
  const registry = new AlertRegistry(clock)
  const { fingerprint } = put(registry, incoming(1, { endsAtMs: NOW_MS }))
  const half = Number.parseInt(fingerprint.slice(0, 8), 16) | 0
  expect(registry.candidate(half)?.fingerprint).toBe(fingerprint)
  const log = new Recorded()
  registry.collectGarbage(log, new Set([fingerprint]))
  expect(registry.candidate(half)).toBeDefined()
  registry.collectGarbage(log, new Set())
  expect(registry.candidate(half)).toBeUndefined()
  expect(registry.get(fingerprint)).toBeUndefined()
  expect(log.records).toEqual([['alert-gone', fingerprint]])
})
