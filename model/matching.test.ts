import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import {
  compareLabels,
  compareStrings,
  labelsFromEntries,
  labelsFromRecord,
  labelsText,
  labelsToRecord,
  projectLabels,
  withLabels,
} from './labels.ts'
import { createMatcher, matches, matcherText } from './matcher.ts'
import { compileAnchored } from './regex.ts'

describe('anchored regular expressions', () => {
  // Pieces from which the fast paths and their near misses are made.
  const piece = fc.constantFrom(
    'a',
    'b',
    'ab',
    '.',
    '\\.',
    '.*',
    '.+',
    '|',
    '(',
    ')',
    '(a|b)',
    '[ab]',
    'a?',
    '\n',
    '^',
    '$',
  )
  const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
  const text = fc.array(fc.constantFrom('a', 'b', '.', '\n', 'c'), { maxLength: 6 }).map((chars) => chars.join(''))

  test('the fast paths say what RE2 says', () => {
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 10 }), (source, texts) => {
        let compiled: RE2JS
        try {
          compiled = RE2JS.compile(source, RE2JS.DOTALL)
        } catch {
          expect(() => compileAnchored(source)).toThrow()
          return
        }
        const regex = compileAnchored(source)
        for (const candidate of texts) {
          expect([source, candidate, regex.matches(candidate)]).toEqual([
            source,
            candidate,
            compiled.matches(candidate),
          ])
        }
        for (const literal of regex.literals ?? []) expect(compiled.matches(literal)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('sets of literals are known', () => {
    expect(compileAnchored('get|post').literals).toEqual(['get', 'post'])
    expect(compileAnchored('(10\\.0\\.0\\.1|b)').literals).toEqual(['10.0.0.1', 'b'])
    expect(compileAnchored('a.*').literals).toBeUndefined()
  })

  test("a bad pattern has Go's text", () => {
    expect(() => compileAnchored('a[')).toThrow('error parsing regexp: missing closing ]: `[`')
  })
})

describe('matchers', () => {
  test.each([
    ['=', 'a', 'a', true],
    ['!=', 'a', 'a', false],
    ['=~', 'a|', '', true],
    ['!~', 'a.*', 'ab', false],
  ] as const)('%s %s on %s', (type, pattern, value, want) =>
    expect(matches(createMatcher(type, 'x', pattern), value)).toBe(want),
  )

  test('they print with Go quoting', () => expect(matcherText(createMatcher('=~', 'x', 'a"\n'))).toBe('x=~"a\\"\\n"'))
  test('names, too, where they are of the new kind: none is taken for a part of another matcher', () => {
    expect(matcherText(createMatcher('=', 'job!', 'x'))).toBe('"job!"="x"')
    expect(matcherText(createMatcher('=', 'a="1"ÿb', '2'))).toBe('"a=\\"1\\"ÿb"="2"')
  })
})

describe('labels', () => {
  test('are sorted by bytes and hold no empty values', () => {
    expect(labelsFromRecord({ b: '1', a: '2', c: '' })).toEqual(['a', '2', 'b', '1'])
    // U+FF5E sorts before U+1F600 by bytes, after it by UTF-16 units.
    expect(['😀', '～', 'z'].sort(compareStrings)).toEqual(['z', '～', '😀'])
  })

  test('the order of strings is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
    )
  })

  test('print as in errors and logs', () => {
    expect(labelsText(labelsFromRecord({ __name__: 'up', job: 'a' }))).toBe('up{job="a"}')
    expect(labelsText(labelsFromRecord({ __name__: 'up' }))).toBe('up')
    expect(labelsText([])).toBe('{}')
  })

  test('can be laid over each other and cut down', () => {
    const base = labelsFromRecord({ a: '1', b: '2' })
    expect(
      withLabels(base, [
        ['b', ''],
        ['c', '3'],
      ]),
    ).toEqual(['a', '1', 'c', '3'])
    expect(projectLabels(base, new Set(['a']), true)).toEqual(['a', '1'])
    expect(projectLabels(base, new Set(['a']), false)).toEqual(['b', '2'])
    expect(compareLabels(['a', '1'], ['a', '1', 'b', '2'])).toBeLessThan(0)
  })
})

test('a label may have any name, that of a prototype too', () => {
  const labels = labelsFromEntries([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  const record = labelsToRecord(labels)
  expect(JSON.stringify(record)).toBe('{"__proto__":"x","constructor":"y"}')
  expect(labelsFromRecord(record)).toEqual(labels)
})
