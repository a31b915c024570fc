import { expect, test } from 'vitest'
import { ruleFile } from './rules.ts'
import { runPushBench } from './push.ts'
import { hasProgram } from '../../tests/support/programs.ts'
import { parseRuleFile } from '../../rules/index.ts'

const canMeasure = process.platform === 'linux' && hasProgram('prometheus-pushgateway')
if (!canMeasure)
  console.log('skipped: needs Linux and a pushgateway on PATH (Debian: apt install prometheus-pushgateway)')

test.skipIf(!canMeasure)('the harness measures a real Pushgateway', async () => {
  const one = { groups: 3, seriesPerGroup: 20 }
  const results = await runPushBench({ seconds: 1, cases: [one] })
  const theirs = results.get(one)!.find(({ name }) => name === 'pushgateway')
  expect(theirs!.pushesPerSecond).toBeGreaterThan(1)
  expect(theirs!.residentBytes).toBeGreaterThan(1e6)
})

test('the rules that are measured are rules', () => {
  const options = {
    systems: [],
    targets: 1,
    groups: 3,
    rulesPerGroup: 20,
    intervalSeconds: 15,
    warmupSeconds: 0,
    seconds: 0,
  }
  const groups = parseRuleFile('rules.yml', ruleFile(options))
  expect(groups.map(({ rules }) => rules.filter(({ kind }) => kind === 'alerting').length)).toEqual([2, 2, 2])
})
