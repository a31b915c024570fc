import { expect, test } from 'vitest'
import { createMatcher, type Matcher } from '../../model/index.ts'
import { matchersName } from './matchers-name.ts'

const nameOf = (...matchers: Matcher[]): string => matchersName(matchers)

test('selectors that differ have names that differ: what one finds is not found for the other', () => {
  expect(nameOf(createMatcher('=', 'job!', 'x'))).not.toBe(nameOf(createMatcher('!=', 'job', 'x')))
  const two = [createMatcher('=', 'a', '1'), createMatcher('=', 'b', '2')]
  expect(nameOf(createMatcher('=', 'a="1"\u00ffb', '2'))).not.toBe(nameOf(...two))
  expect(nameOf(createMatcher('=', 'a', '1"\u00ffb="2'))).not.toBe(nameOf(...two))
  expect(nameOf(...two)).toBe(nameOf(...two))
})
