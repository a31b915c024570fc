import { describe, expect, test } from 'vitest'
import { describeRange, isLive, parseInstant, resolveRange, zoomOut } from './time-range.ts'

const nowMs = Date.parse('2024-03-13T14:35:42.123Z') // A Wednesday.
const at = (text: string, edge: 'from' | 'to' = 'from') => {
  const instantMs = parseInstant(text, nowMs, edge, 'utc')
  return instantMs === undefined ? undefined : new Date(instantMs).toISOString()
}

describe('parseInstant', () => {
  test('now', () => expect(at('now')).toBe('2024-03-13T14:35:42.123Z'))
  test('offset', () => expect(at('now-1h')).toBe('2024-03-13T13:35:42.123Z'))
  test('several offsets', () => expect(at('now-1d+30m')).toBe('2024-03-12T15:05:42.123Z'))
  test('rounds down at the start', () => expect(at('now/d')).toBe('2024-03-13T00:00:00.000Z'))
  test('rounds up at the end', () => expect(at('now/d', 'to')).toBe('2024-03-13T23:59:59.999Z'))
  test('offset after rounding', () => expect(at('now-1d/d+8h')).toBe('2024-03-12T08:00:00.000Z'))
  test('weeks begin on Monday', () => expect(at('now/w')).toBe('2024-03-11T00:00:00.000Z'))
  test('quarter', () => expect(at('now/Q', 'to')).toBe('2024-03-31T23:59:59.999Z'))
  test('a month back from a long month stays inside the short one', () =>
    expect(new Date(parseInstant('now-1M', Date.parse('2024-03-31T00:00:00Z'), 'from', 'utc')!).toISOString()).toBe(
      '2024-02-29T00:00:00.000Z',
    ))
  test('epoch milliseconds', () => expect(at('1710340542123')).toBe('2024-03-13T14:35:42.123Z'))
  test('date in the zone', () => expect(at('2024-01-02')).toBe('2024-01-02T00:00:00.000Z'))
  test('date and time', () => expect(at('2024-01-02 03:04')).toBe('2024-01-02T03:04:00.000Z'))
  test('own zone wins', () => expect(at('2024-01-02T03:04:00+02:00')).toBe('2024-01-02T01:04:00.000Z'))
  for (const bad of ['', 'nowhere', 'now-1x', 'now-', 'soon']) {
    test(`refuses ${JSON.stringify(bad)}`, () => expect(at(bad)).toBeUndefined())
  }
})

test('resolveRange refuses an end before its start', () => {
  expect(resolveRange({ from: 'now', to: 'now-1h' }, nowMs, 'utc')).toBeUndefined()
  expect(resolveRange({ from: 'now-1m', to: 'now' }, nowMs, 'utc')).toEqual({ fromMs: nowMs - 60_000, toMs: nowMs })
})

test('isLive', () => {
  expect(isLive({ from: '0', to: 'now' })).toBe(true)
  expect(isLive({ from: 'now-1h', to: '1710340542123' })).toBe(false)
})

test('zoomOut doubles the span and does not run into the future', () => {
  expect(zoomOut({ fromMs: nowMs - 60_000, toMs: nowMs }, nowMs)).toEqual({ fromMs: nowMs - 120_000, toMs: nowMs })
  expect(zoomOut({ fromMs: 1_000_000, toMs: 1_060_000 }, nowMs)).toEqual({ fromMs: 970_000, toMs: 1_090_000 })
})

test('describeRange', () => {
  expect(describeRange({ from: 'now-15m', to: 'now' }, 'utc')).toBe('Last 15 minutes')
  expect(describeRange({ from: 'now-1h', to: 'now' }, 'utc')).toBe('Last hour')
  expect(describeRange({ from: '1710340542000', to: '1710340842000' }, 'utc')).toMatch(/14:35:42 – .*14:40:42/)
})
