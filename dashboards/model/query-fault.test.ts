import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultOf } from './query-fault.ts'

test('the word that is wrong, in its line', () => {
  const text = 'sum(\n  ratte(up[5m])\n)'
  const fault = faultOf(text, 'invalid parameter "query": 2:3: parse error: unknown function with name "ratte"')
  expect(text.slice(fault!.from, fault!.to)).toBe('ratte')
  expect(fault!.why).toBe('unknown function with name "ratte"')
})

test('an end that comes too early is marked at the last character', () => {
  const fault = faultOf('sum(up', '1:7: parse error: unclosed left parenthesis')
  expect(fault).toEqual({ from: 5, to: 6, line: 1, column: 7, why: 'unclosed left parenthesis' })
})

test('messages without a place, or with one outside of the text, have none', () => {
  expect(faultOf('up', 'query timed out')).toBeUndefined()
  expect(faultOf('up', '7:1: parse error: x')).toBeUndefined()
})

test('what is marked lies in the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(5), fc.nat(30), (text, line, column) => {
      const fault = faultOf(text, `${line}:${column}: parse error: why`)
      if (fault === undefined) return
      expect(fault.from).toBeGreaterThanOrEqual(0)
      expect(fault.to).toBeGreaterThanOrEqual(fault.from)
      expect(fault.to).toBeLessThanOrEqual(text.length)
    }),
  )
})
