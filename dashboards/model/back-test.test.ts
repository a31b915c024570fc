import { expect, test } from 'vitest'
import { backTest } from './back-test.ts'

const MINUTE = 60_000

/** `#` = the expression is true at that minute. */
function check(course: string, { forMinutes = 0, keepMinutes = 0 } = {}) {
  const values = [...course].flatMap((mark, i): [number, string][] => (mark === '#' ? [[i * 60, '1']] : []))
  const result = backTest([{ metric: { __name__: 'up', job: 'a' }, values }], {
    endMs: (course.length - 1) * MINUTE,
    stepMs: MINUTE,
    forMs: forMinutes * MINUTE,
    keepFiringForMs: keepMinutes * MINUTE,
  })
  return {
    firings: result.firings.map((one) => [one.firingFromMs / MINUTE, one.endMs / MINUTE, one.ongoing]),
    tooShort: result.tooShortCount,
    minutes: result.firingMs / MINUTE,
  }
}

test.each([
  ['......', {}, { firings: [], tooShort: 0, minutes: 0 }],
  ['.##...', {}, { firings: [[1, 3, false]], tooShort: 0, minutes: 2 }],
  ['.##...', { forMinutes: 1 }, { firings: [[2, 3, false]], tooShort: 0, minutes: 1 }],
  ['.##...', { forMinutes: 2 }, { firings: [], tooShort: 1, minutes: 0 }],
  [
    '.#.###',
    {},
    {
      firings: [
        [1, 2, false],
        [3, 5, true],
      ],
      tooShort: 0,
      minutes: 3,
    },
  ],
  ['##.##...', { keepMinutes: 1 }, { firings: [[0, 6, false]], tooShort: 0, minutes: 6 }],
  ['#.###...', { forMinutes: 1, keepMinutes: 1 }, { firings: [[3, 6, false]], tooShort: 1, minutes: 3 }],
])('%s with %o', (course, options, want) => expect(check(course, options)).toEqual(want))

test('the metric name is no label of the alert', () => {
  const { firings } = backTest([{ metric: { __name__: 'up', job: 'a' }, values: [[0, '1']] }], {
    endMs: 0,
    stepMs: MINUTE,
    forMs: 0,
    keepFiringForMs: 0,
  })
  expect(firings[0]?.labels).toEqual({ job: 'a' })
})
