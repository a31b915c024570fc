import { expect, test } from 'vitest'
import { parseRuleFile } from './index.ts'
import { stagesOf } from './stages.ts'
import { createBench } from './testing/harness.ts'

/** Each line is `name{label=value} = expression`; a name that begins with a capital is an alert. */
function check(lines: readonly string[], want: readonly (readonly number[])[]): void {
  const rules = lines.map((line) => {
    const [, name = '', labels = '', expr = ''] = /^(\w+)(?:\{(.*)\})? = (.*)$/.exec(line)!
    const pairs = labels.split(',').filter(Boolean)
    const labelLines = pairs
      .map((pair) => `\n        ${pair.replace(/=(.*)/, (_, value: string) => `: ${JSON.stringify(value)}`)}`)
      .join('')
    const kind = /^[A-Z]/.test(name) ? 'alert' : 'record'
    return `    - ${kind}: ${name}\n      expr: ${JSON.stringify(expr)}${labelLines === '' ? '' : `\n      labels:${labelLines}`}\n`
  })
  const [group] = parseRuleFile('r.yml', `groups:\n- name: g\n  rules:\n${rules.join('')}`)
  expect(stagesOf(group!.rules), lines.join('; ')).toEqual(want)
}

test('rules wait for what they may read, and for nothing else', () => {
  check(['a = x', 'b = y', 'C = z'], [[0, 1, 2]])
  check(['a = x', 'b = a', 'c = b'], [[0], [1], [2]])
  check(['a = x', 'b = rate(a[5m]) + y', 'c = x'], [[0, 2], [1]])
  // A reader before the writer sees what was before: both may run at once, the result is written later.
  check(['a = b', 'b = x'], [[0, 1]])
  // The writer must not come before a reader that had to wait.
  check(['x1 = y', 'a = x1 + b', 'b = z'], [[0], [1, 2]])
  check(['a = {job="j"}', 'b = x', 'c = {job="j"}'], [[0, 1], [2]])
  check(
    ['a{job=j} = x', 'b = a{job="other"}', 'c = a{job="j"}', 'd = a{more="v"}'],
    [
      [0, 1],
      [2, 3],
    ],
  )
  check(['a{k=} = x', 'b = a{k!=""}'], [[0, 1]])
  check(['Down = up == 0', 'b = count(ALERTS)', 'c = ALERTS{alertname="Other"}'], [[0, 2], [1]])
  check(['a = x', 'b = {__name__=~"a|b"}'], [[0], [1]])
  check(['a = a', 'b = b'], [[0, 1]])
})

test('rules that may write the same series keep their order', () => {
  check(['a = x', 'a = y'], [[0], [1]])
  check(['a{k=1} = x', 'a{k=2} = y', 'a = z'], [[0, 1], [2]])
})

test('a template that asks for itself waits for everything before it', () => {
  check(['a = x', `Down{v={{ query \`a\` }}} = up == 0`], [[0], [1]])
})

test('independent rules are asked at once, dependent ones see what was written', async () => {
  const open: string[] = []
  let most = 0
  const bench = createBench(() => undefined, {
    query: async (expr, timeMs) => {
      open.push(expr)
      most = Math.max(most, open.length)
      await new Promise((resolve) => setImmediate(resolve))
      open.splice(open.indexOf(expr), 1)
      const samples = bench.store.instant(expr, timeMs)
      return {
        type: 'vector',
        samples: samples.length > 0 ? samples : [{ labels: ['e', expr], timestampMs: 0, value: 1 }],
      }
    },
  })
  const rules = ['a = x', 'b = y', 'c = z', 'd = a'].map((line) => {
    const [name, expr] = line.split(' = ')
    return `  - { record: ${name}, expr: ${expr} }\n`
  })
  await bench.load(`groups:\n- name: g\n  rules:\n${rules.join('')}`)
  bench.manager.start()
  await bench.tick(0)
  await bench.tick(0)
  expect(most).toBe(3)
  await bench.manager.stop()
  expect(bench.store.dump()).toEqual({ 'a{e="x"}': [1], 'b{e="y"}': [1], 'c{e="z"}': [1], 'd{e="x"}': [1] })
})
