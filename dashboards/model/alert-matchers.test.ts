import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AlertMatcher, formatAlertMatcher, matchesAlert, parseAlertMatchers } from './alert-matchers.ts'

test('reads the notation of links: braces, quotes, bare values, all four operators', () => {
  expect(parseAlertMatchers('{alertname="Down", severity=~"warn|crit", team!=db,zone!~"a.*"}')).toEqual([
    { name: 'alertname', value: 'Down', isRegex: false, isEqual: true },
    { name: 'severity', value: 'warn|crit', isRegex: true, isEqual: true },
    { name: 'team', value: 'db', isRegex: false, isEqual: false },
    { name: 'zone', value: 'a.*', isRegex: true, isEqual: false },
  ])
  expect(parseAlertMatchers('  ')).toEqual([])
})

test('says what it cannot read', () => {
  expect(parseAlertMatchers('alertname')).toEqual({ error: 'not a matcher: alertname' })
  expect(parseAlertMatchers('a=~"("')).toEqual({ error: 'not a regular expression: (' })
})

test('what is written is read back', () => {
  const matcher = fc.record<AlertMatcher>({
    name: fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/),
    value: fc.string(),
    isRegex: fc.constant(false),
    isEqual: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(matcher, { maxLength: 4 }), (matchers) => {
      expect(parseAlertMatchers(matchers.map(formatAlertMatcher).join(','))).toEqual(matchers)
    }),
  )
})

test('matching is anchored and takes a missing label as empty', () => {
  const check = (text: string) =>
    matchesAlert(parseAlertMatchers(text) as AlertMatcher[], { alertname: 'Down', job: 'api' })
  expect(check('alertname=~"Do"')).toBe(false)
  expect(check('alertname=~"Do.*",job!="db"')).toBe(true)
  expect(check('zone=""')).toBe(true)
})
