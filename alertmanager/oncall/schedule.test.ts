import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { instantOf, wallOf } from '../route/wall-clock.ts'
import { onCallAt, shiftsOf } from './schedule.ts'
import type { Layer, Schedule } from './types.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const schedule = (timeZone: string, ...layers: Partial<Layer>[]): Schedule => ({
  name: 's',
  timeZone,
  overrides: [],
  layers: layers.map((layer, i) => ({
    name: `layer ${i + 1}`,
    turns: [['anna'], ['boris']],
    startWallMs: Date.UTC(2026, 0, 5, 9),
    endWallMs: undefined,
    turnMs: 7 * DAY_MS,
    active: [],
    ...layer,
  })),
})

const at = (time: string): number => Date.parse(time)
const whoAt = (s: Schedule, time: string): string => onCallAt(s, s.overrides, at(time)).people.join('+')

describe('a wall clock', () => {
  test.each([
    ['2026-01-05T09:00Z', 'UTC', '2026-01-05T09:00Z'],
    ['2026-01-05T09:00Z', 'Europe/Berlin', '2026-01-05T08:00Z'],
    ['2026-07-05T09:00Z', 'Europe/Berlin', '2026-07-05T07:00Z'],
    // 02:30 comes twice on this day, and not at all on the next one.
    ['2026-10-25T02:30Z', 'Europe/Berlin', '2026-10-25T00:30Z'],
    ['2026-03-29T02:30Z', 'Europe/Berlin', '2026-03-29T01:30Z'],
    ['2026-03-08T02:30Z', 'America/New_York', '2026-03-08T07:30Z'],
    ['2026-01-05T00:00Z', 'Asia/Kathmandu', '2026-01-04T18:15Z'],
    ['2026-01-05T00:00Z', 'Pacific/Kiritimati', '2026-01-04T10:00Z'],
  ])('%s in %s', (wall, zone, instant) => {
    expect(new Date(instantOf(at(wall), zone)).toISOString()).toBe(new Date(at(instant)).toISOString())
  })

  test('the first instant that shows the reading, over all of a year', () => {
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Tehran', 'UTC')
    fc.assert(
      fc.property(zone, fc.integer({ min: at('2026-01-01'), max: at('2027-01-01') }), (timeZone, atMs) => {
        const found = instantOf(wallOf(atMs, timeZone), timeZone)
        expect(wallOf(found, timeZone)).toBe(wallOf(atMs, timeZone))
        expect(found).toBeLessThanOrEqual(atMs)
      }),
    )
  })
})

describe('a wall clock that is looked at again and again', () => {
  test('shows what the calendar of the zone shows, also on the days that change the clocks', () => {
    // Newfoundland has changed its clocks a minute after midnight; Samoa has left out a day.
    const zone = fc.constantFrom('America/St_Johns', 'Pacific/Apia', 'Africa/Casablanca', 'Australia/Lord_Howe')
    const instant = fc.integer({ min: at('2005-01-01'), max: at('2027-01-01') })
    const nearChange = fc
      .tuple(
        fc.constantFrom('2010-03-14T03:31Z', '2011-12-30T10:00Z', '2026-04-04T15:00Z'),
        fc.integer({ max: 7200, min: -7200 }),
      )
      .map(([time, seconds]) => at(time) + seconds * 1000)
    fc.assert(
      fc.property(zone, fc.oneof(instant, nearChange), (timeZone, atMs) => {
        const shown = new Date(atMs).toLocaleString('sv-SE', { timeZone })
        expect(new Date(wallOf(atMs, timeZone)).toISOString().slice(0, 19).replace('T', ' ')).toBe(shown)
      }),
      { numRuns: 300 },
    )
  })

  test('asks the calendar a few times a day, however many hand-overs there are', () => {
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
    const days = 370
    const s = schedule(
      'Europe/Lisbon',
      { turnMs: HOUR_MS },
      { turnMs: HOUR_MS, active: [{ timeZone: 'Europe/Lisbon', weekdays: [{ begin: 1, end: 5 }] }] },
    )
    const shifts = shiftsOf(s, [], at('2026-03-01'), at('2026-03-01') + days * DAY_MS)
    expect(shifts.length).toBeGreaterThan(days * 23)
    expect(asked.mock.calls.length).toBeLessThan(days * 10)
    asked.mockRestore()
  })
})

describe('rotations', () => {
  test('a week changes hands at nine by the local clock, summer and winter', () => {
    const s = schedule('Europe/Berlin', {})
    expect(whoAt(s, '2026-01-05T07:59:59Z')).toBe('')
    expect(whoAt(s, '2026-01-05T08:00:00Z')).toBe('anna')
    expect(whoAt(s, '2026-01-12T07:59:59Z')).toBe('anna')
    expect(whoAt(s, '2026-01-12T08:00:00Z')).toBe('boris')
    // After the change to summer time nine is an hour earlier.
    expect(whoAt(s, '2026-03-30T06:59:59Z')).toBe('boris')
    expect(whoAt(s, '2026-03-30T07:00:00Z')).toBe('anna')
  })

  test('shifts of twelve hours over the nights in which the clocks change', () => {
    const s = schedule('Europe/Berlin', { turnMs: 12 * HOUR_MS, startWallMs: at('2026-03-28T20:00Z') })
    const lengths = shiftsOf(s, [], at('2026-03-28T19:00Z'), at('2026-03-30T06:00Z')).map(
      ({ people, fromMs, toMs }) => `${people[0]} ${(toMs - fromMs) / HOUR_MS}`,
    )
    expect(lengths).toEqual(['anna 11', 'boris 12', 'anna 12'])
    const autumn = shiftsOf(s, [], at('2026-10-24T18:00Z'), at('2026-10-25T19:00Z'))
    expect(autumn.map(({ fromMs, toMs }) => (toMs - fromMs) / HOUR_MS)).toEqual([13, 12])
  })

  test('a later layer goes before an earlier one where it has somebody; overrides go before both', () => {
    const s = schedule(
      'UTC',
      { turns: [['anna']] },
      {
        turns: [['carl', 'dora']],
        active: [{ weekdays: [{ begin: 1, end: 5 }], times: [{ begin: 600, end: 720 }], timeZone: 'UTC' }],
      },
    )
    expect(whoAt(s, '2026-01-06T09:59Z')).toBe('anna')
    expect(whoAt(s, '2026-01-06T10:00Z')).toBe('carl+dora')
    expect(whoAt(s, '2026-01-06T12:00Z')).toBe('anna')
    expect(whoAt(s, '2026-01-10T10:30Z')).toBe('anna')
    const override = { people: ['eve'], fromMs: at('2026-01-06T09:30Z'), toMs: at('2026-01-06T10:30Z'), comment: '' }
    expect(shiftsOf(s, [override], at('2026-01-06T09:00Z'), at('2026-01-06T13:00Z'))).toEqual([
      { people: ['anna'], source: 'layer 1', fromMs: at('2026-01-06T09:00Z'), toMs: at('2026-01-06T09:30Z') },
      { people: ['eve'], source: 'override', fromMs: at('2026-01-06T09:30Z'), toMs: at('2026-01-06T10:30Z') },
      { people: ['carl', 'dora'], source: 'layer 2', fromMs: at('2026-01-06T10:30Z'), toMs: at('2026-01-06T12:00Z') },
      { people: ['anna'], source: 'layer 1', fromMs: at('2026-01-06T12:00Z'), toMs: at('2026-01-06T13:00Z') },
    ])
  })

  test('shifts say what asking for each instant says', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
    const start = fc.integer({ min: at('2026-01-01') / HOUR_MS, max: at('2026-12-01') / HOUR_MS })
    const hours = fc.integer({ min: 1, max: 400 })
    fc.assert(
      fc.property(
        zones,
        start,
        hours,
        fc.nat({ max: 3000 }),
        fc.nat({ max: 20_000 }),
        (zone, from, turn, later, minute) => {
          const s = schedule(
            zone,
            { startWallMs: from * HOUR_MS, turnMs: turn * HOUR_MS, turns: [['a'], ['b'], ['c']] },
            {
              startWallMs: from * HOUR_MS,
              turns: [['night']],
              active: [{ times: [{ begin: 1320, end: 1440 }], timeZone: zone }],
            },
          )
          const fromMs = (from + later) * HOUR_MS
          const atMs = fromMs + minute * 60_000
          const shift = shiftsOf(s, [], fromMs, fromMs + 14 * DAY_MS).find(
            (one) => atMs >= one.fromMs && atMs < one.toMs,
          )
          expect(shift && { people: shift.people, source: shift.source }).toEqual(onCallAt(s, [], atMs))
        },
      ),
      { numRuns: 60 },
    )
  })
})
