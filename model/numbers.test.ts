import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'
import {
  formatFloatExponent,
  formatFloatGeneral,
  formatFloatPlain,
  formatSampleValue,
  normalizeBucketBound,
  parseGoFloat,
} from './float.ts'

describe('floats as Go prints them', () => {
  test.each([
    [0, '0', '0', '0', '0e+00'],
    [-0, '-0', '-0', '-0', '-0e+00'],
    [1, '1', '1', '1', '1e+00'],
    [1.5e-7, '0.00000015', '1.5e-07', '1.5e-07', '1.5e-07'],
    [1e-6, '0.000001', '0.000001', '1e-06', '1e-06'],
    [0.0001, '0.0001', '0.0001', '0.0001', '1e-04'],
    [1234567, '1234567', '1234567', '1.234567e+06', '1.234567e+06'],
    [1e21, '1000000000000000000000', '1e+21', '1e+21', '1e+21'],
    [1e100, `1${'0'.repeat(100)}`, '1e+100', '1e+100', '1e+100'],
    [Number.NaN, 'NaN', 'NaN', 'NaN', 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf', '+Inf', '+Inf', '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf', '-Inf', '-Inf', '-Inf'],
  ])('%d', (value, plain, sample, general, exponent) => {
    expect(formatFloatPlain(value)).toBe(plain)
    expect(formatSampleValue(value)).toBe(sample)
    expect(formatFloatGeneral(value)).toBe(general)
    expect(formatFloatExponent(value)).toBe(exponent)
  })

  test('every form reads back to the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        for (const format of [formatFloatPlain, formatSampleValue, formatFloatGeneral, formatFloatExponent]) {
          expect(Object.is(parseGoFloat(format(value)), value)).toBe(true)
        }
      }),
    )
  })

  test.each([
    ['1', '1.0'],
    ['0.5', '0.5'],
    ['1e3', '1000.0'],
    ['1e6', '1e+06'],
    ['+Inf', '+Inf'],
    ['inf', '+Inf'],
    ['text', 'text'],
  ])('bucket bound %s', (text, want) => expect(normalizeBucketBound(text)).toBe(want))

  test.each(['', ' 1', '1abc', '0x1p3', '1__0', '--1', 'e5', '.', 'Infinit'])('%j is no number', (text) =>
    expect(parseGoFloat(text)).toBeUndefined(),
  )

  // With a regular expression that backtracks, these would not end.
  test.each(['1'.repeat(1e6), '1_'.repeat(5e5), '1'.repeat(1e6) + '.', '1_1'.repeat(3e5) + 'e'])(
    'a long text that is no number is known at once: %#',
    (text) => expect(parseGoFloat(`${text}x`)).toBeUndefined(),
  )
})

describe('durations', () => {
  test.each([
    ['0', 0, '0s'],
    ['15s', 15_000, '15s'],
    ['1h30m', 5_400_000, '1h30m'],
    ['90m', 5_400_000, '1h30m'],
    ['250ms', 250, '250ms'],
    ['1d12h', 129_600_000, '1d12h'],
    ['2w', 1_209_600_000, '2w'],
    ['1y', 31_536_000_000, '1y'],
  ])('%s', (text, ms, printed) => {
    expect(parseDuration(text)).toBe(ms)
    expect(formatDuration(ms)).toBe(printed)
  })

  test.each(['', '5', '5 m', '1m1h', '1s1s', '-5m', '1.5h', '1ns', '999999999999y'])('%j is refused', (text) =>
    expect(() => parseDuration(text)).toThrow(),
  )

  test('what is printed reads back', () => {
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), (ms) => parseDuration(formatDuration(ms)) === ms))
  })
})
