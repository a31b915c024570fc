import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tokenizePromql } from './promql-words.ts'

test('tells functions, keywords, labels, strings and numbers apart', () => {
  const kinds = tokenizePromql('sum by (job) (rate(x{mode="a b"}[5m])) # c')
    .filter(({ kind }) => kind !== 'plain')
    .map(({ kind, text }) => `${kind} ${text}`)
  expect(kinds).toEqual([
    'function sum',
    'keyword by',
    'function rate',
    'label mode',
    'string "a b"',
    'number 5m',
    'comment # c',
  ])
})

test('the pieces always join to the text', () => {
  const joined = (text: string) =>
    tokenizePromql(text)
      .map((token) => token.text)
      .join('')
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(joined(text)).toBe(text)
    }),
  )
  expect(joined('a\nb')).toBe('a\nb')
})
