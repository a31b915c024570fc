import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromWallClock, readTimeZone, zoneOffsetMs } from './zone.ts'

const HOUR = 3_600_000

test('zones are read as boards and links state them', () => {
  expect(readTimeZone(undefined)).toBe('browser')
  expect(readTimeZone('')).toBe('browser')
  expect(readTimeZone('UTC')).toBe('utc')
  expect(readTimeZone('Europe/Berlin')).toBe('Europe/Berlin')
  expect(readTimeZone('Asia/Kathmandu')).toBe('Asia/Kathmandu')
  expect(readTimeZone('Atlantis/Capital')).toBe('browser')
})

test('offsets follow summer time and odd zones', () => {
  expect(zoneOffsetMs(Date.parse('2024-01-15T00:00Z'), 'Europe/Berlin')).toBe(HOUR)
  expect(zoneOffsetMs(Date.parse('2024-07-15T00:00Z'), 'Europe/Berlin')).toBe(2 * HOUR)
  expect(zoneOffsetMs(Date.parse('2024-07-15T00:00Z'), 'Asia/Kathmandu')).toBe(5.75 * HOUR)
  expect(zoneOffsetMs(Date.parse('2024-07-15T00:00:00.250Z'), 'America/New_York')).toBe(-4 * HOUR)
})

test('a wall clock that is left out moves on, one that comes twice is the first', () => {
  expect(fromWallClock(Date.parse('2024-03-31T02:30Z'), 'Europe/Berlin')).toBe(Date.parse('2024-03-31T01:30Z'))
  expect(fromWallClock(Date.parse('2024-10-27T02:30Z'), 'Europe/Berlin')).toBe(Date.parse('2024-10-27T00:30Z'))
  expect(fromWallClock(Date.parse('2024-03-10T02:30Z'), 'America/New_York')).toBe(Date.parse('2024-03-10T07:30Z'))
})

test('an instant is found again by what the clocks show, but for hours that come twice', () => {
  const zone = fc.constantFrom(
    'utc',
    'browser',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
  )
  fc.assert(
    fc.property(zone, fc.integer({ min: Date.UTC(1995, 0), max: Date.UTC(2035, 0) }), (name, atMs) => {
      const wallMs = atMs + zoneOffsetMs(atMs, name)
      const found = fromWallClock(wallMs, name)
      expect(found + zoneOffsetMs(found, name)).toBe(wallMs)
      expect(found).toBeLessThanOrEqual(atMs)
      expect(atMs - found).toBeLessThanOrEqual(HOUR)
    }),
  )
})
