import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { xxHash64 } from '../../lib/index.ts'
import { bucketFraction, bucketQuantile } from './classic-buckets.ts'
import { dateFunctions } from './date.ts'
import { KahanSum } from './kahan.ts'
import { compareNatural, labelJoin, labelReplace } from './label-functions.ts'
import { pow } from './math.ts'
import { quantileOfSorted, sortNaNFirst } from './quantile.ts'

describe('dates', () => {
  test('agree with Date wherever it reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_600_000_000_000, max: 8_600_000_000_000 }), (seconds) => {
        const date = new Date(seconds * 1000)
        const startOfYear = new Date(0).setUTCFullYear(date.getUTCFullYear(), 0, 1)
        const startOfDay = Math.floor(seconds / 86_400) * 86_400
        const nextMonth = new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)
        expect(Object.fromEntries(Object.entries(dateFunctions).map(([name, of]) => [name, of(seconds)]))).toEqual({
          minute: date.getUTCMinutes(),
          hour: date.getUTCHours(),
          day_of_week: date.getUTCDay(),
          day_of_month: date.getUTCDate(),
          day_of_year: (startOfDay * 1000 - startOfYear) / 86_400_000 + 1,
          days_in_month: new Date(nextMonth).getUTCDate(),
          month: date.getUTCMonth() + 1,
          year: date.getUTCFullYear(),
        })
      }),
    )
  })

  test.each([
    ['year', 1e12, 33_658],
    ['year', -62_135_596_800, 1],
    ['day_of_month', -0.5, 1],
    ['year', Number.NaN, 292_277_026_596],
  ])('%s(%d) is %d', (name, seconds, want) => {
    expect(dateFunctions[name]!(seconds)).toBe(want)
  })
})

test('quantiles: NaN is smallest, ranks are interpolated', () => {
  const sorted = sortNaNFirst(Float64Array.of(3, Number.NaN, 1, 2))
  expect([...sorted]).toEqual([Number.NaN, 1, 2, 3])
  expect(quantileOfSorted(0, sorted)).toBeNaN()
  expect(quantileOfSorted(1 / 2, sorted)).toBe(1.5)
  expect([-1, 2, Number.NaN].map((q) => quantileOfSorted(q, Float64Array.of(1)))).toEqual([
    -Infinity,
    Infinity,
    Number.NaN,
  ])
  expect(quantileOfSorted(0.5, new Float64Array())).toBeNaN()
})

test('powers that JavaScript sees otherwise', () => {
  expect([pow(1, Number.NaN), pow(-1, Infinity), pow(-1, -Infinity), pow(Number.NaN, 0)]).toEqual([1, 1, 1, 1])
  expect([pow(2, 10), pow(Number.NaN, 1)]).toEqual([1024, Number.NaN])
})

test('compensated sums survive cancellation and infinity', () => {
  const sum = new KahanSum()
  for (const x of [1, 1e100, 1, -1e100]) sum.add(x)
  expect(sum.value).toBe(2)
  for (const x of [Infinity, 1]) sum.add(x)
  expect(sum.value).toBe(Infinity)
})

describe('classic buckets', () => {
  const buckets = (...pairs: [number, number][]) => pairs.map(([upperBound, count]) => ({ upperBound, count }))

  test('equal bounds are added up, decreases are flattened and reported', () => {
    const answer = bucketQuantile(0.5, buckets([1, 2], [Infinity, 8], [1, 2], [2, 3]))
    expect(answer).toEqual({ value: 1, fix: { fromBound: 2, toBound: 2, maxDiff: 1 } })
  })

  test('tiny decreases are rounding, not faults', () => {
    expect(bucketQuantile(1, buckets([1, 0.3], [2, 0.3 - 1e-16], [Infinity, 0.3])).fix).toBeUndefined()
  })

  test.each([
    ['no bucket', buckets(), Number.NaN],
    ['no bucket without an upper end', buckets([1, 1], [2, 2]), Number.NaN],
    ['nothing observed', buckets([1, 0], [Infinity, 0]), Number.NaN],
    ['a first bucket below zero', buckets([-1, 5], [Infinity, 6]), -1],
  ])('%s', (_, input, want) => {
    expect(bucketQuantile(0.5, input).value).toBe(want)
  })

  test('fractions take the whole range as 1', () => {
    expect(bucketFraction(-Infinity, Infinity, buckets([1, 3], [Infinity, 4])).value).toBe(1)
    expect(bucketFraction(0.5, 1, buckets([1, 4], [Infinity, 8])).value).toBe(0.25)
  })
})

describe('labels', () => {
  const replace = (replacement: string, pattern: string, value: string) =>
    labelReplace('dst', replacement, 'src', pattern)(['src', value])

  test.each([
    ['$1-$2', '(a)(b)?', 'a', 'a-'],
    ['${word}s', '(?P<word>.+)', 'cat', 'cats'],
    ['$1x', '(.*)', 'a', undefined],
    ['$$1', '(.*)', 'a', '$1'],
    ['x', 'a.c', 'a\nc', 'x'],
  ])('replacement %s of %s in %j', (replacement, pattern, value, want) => {
    const labels = want === undefined ? ['src', value] : ['dst', want, 'src', value]
    expect(replace(replacement, pattern, value)).toEqual(labels)
  })

  test('the expression must match the whole value', () => {
    expect(replace('x', 'a', 'ab')).toBeUndefined()
  })

  test('bad arguments', () => {
    expect(() => replace('x', '(', 'a')).toThrow('invalid regular expression in label_replace(): (')
    expect(() => labelReplace('', 'x', 'src', '.*')).toThrow('invalid destination label name in label_replace(): ')
    expect(() => labelJoin('d', ',', [''])).toThrow('invalid source label name in label_join(): ')
  })

  test('natural order', () => {
    expect(['a10', 'a2', 'a', '', 'b1', 'a02x'].sort(compareNatural)).toEqual(['', 'a', 'a2', 'a02x', 'a10', 'b1'])
  })
})

test('xxHash64 gives the published values', () => {
  expect(xxHash64(Buffer.from(''))).toBe(0xef46db3751d8e999n)
  expect(xxHash64(Buffer.from('abc'))).toBe(0x44bc2cf5ad770999n)
  expect(xxHash64(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xfbcea83c8a378bf1n)
})
