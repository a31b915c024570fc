import { expect, test } from 'vitest'
import { type InstantValue, labelsFromRecord, labelsText } from '../model/index.ts'
import { createBench, MINUTE_MS, named } from './testing/harness.ts'

const group = (rules: string, head = ''): string =>
  `groups:\n- name: g\n${head}  rules:\n${rules.replace(/^/gm, '  ')}\n`

test('rules run in order at one time, and each sees what the ones before it wrote', async () => {
  const bench = createBench((expr) => (expr === 'src' ? [[named('src', { a: '1', b: '2' }), 5]] : undefined))
  await bench.load(
    group(`- record: first
  expr: src
  labels: {a: "", c: new}
- record: second
  expr: first
- alert: Third
  expr: second
- record: fourth
  expr: ALERTS`),
  )
  bench.manager.start()
  await bench.tick(2)
  expect(bench.store.dump()).toMatchObject({
    'first{b="2", c="new"}': [5, 5, 5],
    'second{b="2", c="new"}': [5, 5, 5],
    'fourth{alertname="Third", alertstate="firing", b="2", c="new"}': [1],
  })
  const times = [...bench.store.series.values()].map(({ points }) => points.at(-1)![0])
  expect(new Set(times)).toEqual(new Set([bench.clock.nowMs()]))
  await bench.manager.stop()
})

test('a scalar is one sample; a string, equal label sets and a passed limit are errors; others go on', async () => {
  const query = async (expr: string, timestampMs: number): Promise<InstantValue> => {
    if (expr === '1') return { type: 'scalar', timestampMs, value: 1 }
    if (expr === '"s"') return { type: 'string', timestampMs, value: 's' }
    if (expr === 'absent(x)') throw new Error('query timed out')
    const labelSets = expr === 'two' ? [{ x: '1' }, { x: '2' }] : [named('a'), named('b')]
    return { type: 'vector', samples: labelSets.map((l) => ({ labels: labelsFromRecord(l), timestampMs, value: 1 })) }
  }
  const bench = createBench(() => undefined, { query })
  const rules = ['1', '"s"', 'same', 'two', 'absent(x)', '1'].map((expr, i) => `- record: r${i}\n  expr: '${expr}'`)
  await bench.load(group(rules.join('\n'), '  limit: 1\n'))
  bench.manager.start()
  await bench.tick(0)
  expect(bench.manager.groups()[0]!.rules.map((rule) => [rule.health, rule.lastError])).toEqual([
    ['ok', ''],
    ['err', 'rule result is not a vector or scalar'],
    ['err', 'vector contains metrics with the same labelset after applying rule labels'],
    ['err', 'exceeded limit of 1 with 2 series'],
    ['err', 'query timed out'],
    ['ok', ''],
  ])
  expect(bench.store.dump()).toEqual({ r0: [1], r5: [1] })
  const metrics = await bench.registry.metrics()
  expect(metrics).toContain('prometheus_rule_evaluations_total{rule_group="r.yml;g"} 6')
  expect(metrics).toContain('prometheus_rule_evaluation_failures_total{rule_group="r.yml;g"} 4')
  expect(metrics).toContain('prometheus_rule_group_iterations_total{rule_group="r.yml;g"} 1')
  expect(metrics).toContain('prometheus_rule_group_rules{rule_group="r.yml;g"} 6')
  expect(metrics).toContain('prometheus_rule_group_interval_seconds{rule_group="r.yml;g"} 60')
  expect(metrics).toContain('prometheus_rule_group_last_evaluation_samples{rule_group="r.yml;g"} 2')
  expect(metrics).toContain(
    `prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group="r.yml;g"} ${bench.clock.nowMs() / 1000}`,
  )
  await bench.manager.stop()
})

test('outputs that vanish are ended; a failed evaluation ends nothing', async () => {
  const values = [[1, 2], [1], new Error('down'), [1, 2]]
  let evaluation = 0
  const bench = createBench(() => {
    const now = values[evaluation++]!
    if (now instanceof Error) throw now
    return now.map((v) => [{ i: String(v) }, v] as const)
  })
  await bench.load(group('- record: r\n  expr: x'))
  bench.manager.start()
  await bench.tick(3)
  expect(bench.store.dump()).toEqual({ 'r{i="1"}': [1, 1, 1], 'r{i="2"}': [2, 'stale', 2] })
  await bench.manager.stop()
})

test('two rules that write one series: the second is refused, and does not end the series of the first', async () => {
  let second = true
  const bench = createBench((expr) => (expr === 'a' || second ? [[{}, 1]] : []))
  await bench.load(group('- record: r\n  expr: a\n- record: r\n  expr: b'))
  bench.manager.start()
  await bench.tick(1)
  expect(bench.manager.groups()[0]!.rules.map((rule) => rule.lastError)).toEqual(['', 'duplicate sample for timestamp'])
  second = false
  await bench.tick(1)
  expect(bench.store.dump()).toEqual({ r: [1, 1, 1] })
  await bench.manager.stop()
})

test('the query offset moves the query and what is written, not the evaluation', async () => {
  const asked: number[] = []
  const bench = createBench((_, timeMs) => {
    asked.push(timeMs)
    return [[{}, 1]]
  })
  await bench.load(group('- record: r\n  expr: x', '  query_offset: 30s\n'))
  const startMs = bench.clock.nowMs()
  bench.manager.start()
  await bench.tick(1)
  expect(asked).toEqual([startMs - 30_000, startMs + 30_000])
  expect([...bench.store.series.values()][0]!.points.map(([t]) => t)).toEqual(asked)
  expect(bench.manager.groups()[0]!.lastEvaluationMs).toBe(startMs + MINUTE_MS)
  await bench.manager.stop()
})

test('the first evaluation comes soon, the following ones on the slots of the group', async () => {
  const asked: number[] = []
  const answers = (_: string, timeMs: number) => {
    asked.push(timeMs)
    return []
  }
  const startMs = 1_000_000_000_000
  const bench = createBench(answers, { startMs, firstEvaluationDelayMs: 2000, evaluationIntervalMs: 3_600_000 })
  await bench.load(group('- record: r\n  expr: x'))
  bench.manager.start()
  await bench.clock.advance(4000)
  expect(asked).toHaveLength(1)
  expect(asked[0]).toBe(bench.manager.groups()[0]!.lastEvaluationMs)
  await bench.clock.advance(3 * 3_600_000)
  expect(asked).toHaveLength(4)
  expect(asked[2]! - asked[1]!).toBe(3_600_000)
  expect(asked[1]! - asked[0]!).toBeLessThanOrEqual(3_600_000)

  // Another process with the same groups uses the same slots.
  const again = createBench(answers, { startMs: startMs + 12_345, evaluationIntervalMs: 3_600_000 })
  await again.load(group('- record: r\n  expr: x'))
  again.manager.start()
  await again.clock.advance(3_600_000)
  expect(asked.at(-1)).toBe(asked[1])
  await bench.manager.stop()
  await again.manager.stop()
})

test('an evaluation slower than the interval: slots are missed and counted, none is made up twice', async () => {
  const asked: number[] = []
  let release: (value: InstantValue) => void = () => undefined
  const query = (_: string, timeMs: number): Promise<InstantValue> => {
    asked.push(timeMs)
    return new Promise((resolve) => {
      release = resolve
    })
  }
  const bench = createBench(() => undefined, { query })
  await bench.load(group('- record: r\n  expr: x'))
  const startMs = bench.clock.nowMs()
  bench.manager.start()
  await bench.tick(3.5)
  release({ type: 'vector', samples: [] })
  await bench.tick(0.25)
  release({ type: 'vector', samples: [] })
  await bench.tick(0.5)
  expect(asked.map((timeMs) => (timeMs - startMs) / MINUTE_MS)).toEqual([0, 3, 4])
  const metrics = await bench.registry.metrics()
  expect(metrics).toContain('prometheus_rule_group_iterations_missed_total{rule_group="r.yml;g"} 2')
  expect(metrics).toContain('prometheus_rule_group_iterations_total{rule_group="r.yml;g"} 5')
  release({ type: 'vector', samples: [] })
  await bench.manager.stop()
})

test('stop waits for the evaluation under way and starts no other', async () => {
  let release: (value: InstantValue) => void = () => undefined
  const asked: string[] = []
  const query = (expr: string): Promise<InstantValue> => {
    asked.push(expr)
    return new Promise((resolve) => {
      release = resolve
    })
  }
  const bench = createBench(() => undefined, { query })
  await bench.load(group('- record: a\n  expr: x\n- record: b\n  expr: a + 1'))
  bench.manager.start()
  await bench.tick(0)
  let isStopped = false
  const stopping = bench.manager.stop().then(() => {
    isStopped = true
  })
  await bench.tick(0)
  expect(isStopped).toBe(false)
  release({ type: 'vector', samples: [{ labels: [], timestampMs: 0, value: 1 }] })
  await stopping
  await bench.tick(5)
  expect(asked).toEqual(['x'])
  expect(bench.store.dump()).toEqual({ a: [1] })
})

test('apply: an unchanged group runs on, a changed one inherits alerts and series, removed rules are ended', async () => {
  const bench = createBench((expr) => [[{ e: expr }, 1]])
  const rules = (alert: string, more = ''): string =>
    group(`- alert: A\n  expr: x\n  for: 3m${alert}\n- record: keep\n  expr: y${more}`)
  await bench.load(rules('', '\n- record: gone\n  expr: z'))
  bench.manager.start()
  await bench.tick(2)
  const before = bench.manager.alerts()[0]!
  await bench.load(rules('', '\n- record: gone\n  expr: z')) // Nothing has changed.
  expect(bench.manager.groups()[0]!.lastEvaluationMs).toBe(bench.clock.nowMs())

  await bench.load(rules('\n  annotations: {new: "yes"}'))
  expect(bench.manager.alerts().map((a) => [labelsText(a.labels), a.activeAtMs])).toEqual([
    [labelsText(before.labels), before.activeAtMs],
  ])
  await bench.tick(1)
  const after = bench.manager.alerts()[0]!
  expect([after.state, after.annotations]).toEqual(['firing', ['new', 'yes']])
  expect(bench.store.dump()).toMatchObject({ 'keep{e="y"}': [1, 1, 1, 1], 'gone{e="z"}': [1, 1, 1, 'stale'] })
  await bench.manager.stop()
})

test('apply: a removed group ends its series after two intervals, a renamed one leaves no gap', async () => {
  const bench = createBench((expr) => [[{}, expr === 'x' ? 1 : 2]])
  await bench.load(`groups:
- name: g
  rules: [{record: stays, expr: x}]
- name: h
  rules: [{record: goes, expr: y}]
`)
  bench.manager.start()
  await bench.tick(1)
  const removedAtMs = bench.clock.nowMs()
  await bench.load('groups:\n- name: renamed\n  rules: [{record: stays, expr: x}]\n')
  await bench.tick(4)
  const series = [...bench.store.series.values()]
  const goes = series.find(({ labels }) => labelsText(labels) === 'goes')!
  expect(goes.points.at(-1)).toEqual([removedAtMs, Number.NaN])
  const stays = series.find(({ labels }) => labelsText(labels) === 'stays')!
  expect(stays.points.some(([, value]) => Number.isNaN(value))).toBe(false)
  expect(await bench.registry.metrics()).not.toContain('rule_group="r.yml;h"')
  await bench.manager.stop()
})

test('apply: new settings reach groups that stay', async () => {
  const bench = createBench(() => [[{}, 1]])
  const text = group('- alert: A\n  expr: x\n  annotations: {dc: "{{ $externalLabels.dc }}"}', '  interval: 1m\n')
  await bench.load(text)
  bench.manager.start()
  await bench.tick(0)
  const { parseRuleFile } = await import('./index.ts')
  await bench.manager.apply(parseRuleFile('r.yml', text), {
    evaluationIntervalMs: 5000,
    externalLabels: ['dc', 'eu'],
    externalUrl: 'http://new.example',
  })
  await bench.tick(1)
  expect(bench.manager.alerts()[0]!.annotations).toEqual(['dc', 'eu'])
  expect(bench.manager.groups()[0]!.intervalMs).toBe(60_000)
  await bench.manager.stop()
})

test('groups run side by side and are listed by file and name, unknown before their first evaluation', async () => {
  let release: () => void = () => undefined
  const query = async (expr: string): Promise<InstantValue> => {
    if (expr === 'slow') await new Promise<void>((resolve) => (release = resolve))
    return { type: 'vector', samples: [] }
  }
  const bench = createBench(() => undefined, { query })
  await bench.load(`groups:
- name: z
  rules: [{alert: Fast, expr: fast}]
- name: a
  rules: [{alert: Slow, expr: slow}]
`)
  const states = () =>
    bench.manager.groups().map(({ name, rules: [rule] }) => [name, rule!.kind === 'alerting' && rule!.state])
  expect(states()).toEqual([
    ['a', 'unknown'],
    ['z', 'unknown'],
  ])
  bench.manager.start()
  await bench.tick(0)
  expect(bench.manager.groups()[1]).toMatchObject({ name: 'z', rules: [{ health: 'ok', state: 'inactive' }] })
  expect(bench.manager.groups()[0]).toMatchObject({ name: 'a', rules: [{ health: 'unknown' }] })
  release()
  await bench.manager.stop()
})
