import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sortNaNFirst } from './quantile.ts'
import { SortedWindow } from './sorted-window.ts'

test('a window that moves on holds what sorting it anew gives', () => {
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double(), fc.constant(Number.NaN))
  const moves = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 })), { maxLength: 20 })
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), moves, (list, steps) => {
      // The sign of a zero says nothing about its place.
      const values = Float64Array.from(list, (x) => x + 0)
      const sorted = new SortedWindow(values)
      let [from, to] = [0, 0]
      for (const [start, end] of steps) {
        to = Math.min(values.length, to + end)
        from = Math.min(to, from + start)
        expect([...sorted.moveTo(from, to)]).toEqual([...sortNaNFirst(values.slice(from, to))])
      }
    }),
  )
})
