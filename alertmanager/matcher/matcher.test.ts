import { expect, test } from 'vitest'
import { matchersText, parseMatcher, parseMatchers } from './parse.ts'

const show = (text: string): string => matchersText(parseMatchers(text))

test.each([
  ['{}', '{}'],
  ['', '{}'],
  ['foo=bar', '{foo="bar"}'],
  ['{foo!~"b.*",}', '{foo!~"b.*"}'],
  [' foo = "a b" , bar=~c ', '{foo="a b",bar=~"c"}'],
  ['foo="a,b",x="}"', '{foo="a,b",x="}"}'],
  ['foo="\\"quoted\\" \\\\ \\n"', '{foo="\\"quoted\\" \\\\ \\n"}'],
  // Only one of the grammars knows these.
  ['{"héllo wörld"="🙂"}', '{"héllo wörld"="🙂"}'],
  ['🙂=x', '{🙂="x"}'],
  ['"a"="\\u00e9"', '{a="é"}'],
  ['foo=bar!', '{foo="bar!"}'],
  ['foo=', '{foo=""}'],
  // Both know it, the old one wins.
  ['foo="\\d+"', '{foo="\\\\d+"}'],
])('%s', (text, wanted) => {
  expect(show(text)).toBe(wanted)
})

test.each([
  ['foo', 'bad matcher format: foo'],
  ['foo=bar"', 'matcher value contains unescaped double quote: bar"'],
  ['foo="bar', 'matcher value contains unescaped double quote: "bar'],
  ['0a', 'bad matcher format: 0a'],
])('refused: %s', (text, why) => {
  expect(() => parseMatcher(text)).toThrow(why)
})

test('one matcher has no braces', () => {
  for (const text of ['{a=b}', 'a=b}', '{a=b']) expect(() => parseMatcher(text)).toThrow('bad matcher format')
})
