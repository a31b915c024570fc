import { expect, test } from 'vitest'
import { NOT_PLAIN, readPlainYaml } from './yaml-subset.ts'

// An ideographic space, an em space and a line separator: none of them is a blank to YAML.
test.each(['\u3000', '\u2003', '\u2028'])(
  'what only looks like a blank is left to the reader of whole YAML: %j',
  (blank) => {
    for (const text of [
      `a: ${blank}`,
      `a: b${blank}`,
      `a:\n- ${blank}b`,
      `a:\n  ${blank}\n  b: c`,
      `a: b\n${blank}\nc: d`,
    ]) {
      expect(readPlainYaml(text)).toBe(NOT_PLAIN)
    }
  },
)
