import { expect, test } from 'vitest'
import { labelsText, labelsToRecord } from '../model/index.ts'
import { type Answers, createBench, MINUTE_MS, named } from './testing/harness.ts'

const UP = [[named('up', { job: 'node' }), 7]] as const

/** Answers by evaluation: the n-th character says whether the expression returns its sample then. */
function byMinute(startMs: number, pattern: string): Answers {
  return (_, timeMs) => (pattern[Math.round((timeMs - startMs) / MINUTE_MS)] === 'x' ? UP : [])
}

const ruleFile = (extra: string): string => `groups:
- name: g
  rules:
  - alert: Down
    expr: up
${extra.replace(/^/gm, '    ')}
`

interface Timeline {
  readonly rule: string
  /** One character an evaluation: x returns the sample. */
  readonly returns: string
  /** One character an evaluation: i(nactive), p(ending), f(iring). */
  readonly states: string
  /** One character an evaluation: f(iring) or r(esolved) was sent, or - nothing. */
  readonly sent: string
}

const TIMELINES: readonly Timeline[] = [
  { rule: 'for: 0s', returns: 'xx..', states: 'ffii', sent: 'f-r-' },
  { rule: 'for: 2m', returns: '.xxxxx..', states: 'ippfffii', sent: '---f-fr-' },
  { rule: 'for: 2m', returns: 'xx.xxxx', states: 'ppippff', sent: '-----f-' },
  { rule: 'keep_firing_for: 2m', returns: 'x....x', states: 'fffiif', sent: 'f-fr-f' },
  { rule: 'keep_firing_for: 2m', returns: 'x..x...i', states: 'ffffffii', sent: 'f-f-f-r-' },
  { rule: 'for: 1m\nkeep_firing_for: 1m', returns: 'xx..xx', states: 'pffipf', sent: '-f-r-f' },
]

test.each(TIMELINES)('state: $rule, returned $returns', async ({ rule, returns, states, sent }) => {
  const start = createBench(() => []).clock.nowMs()
  const bench = createBench(byMinute(start, returns))
  await bench.load(ruleFile(rule))
  bench.manager.start()
  let seenStates = ''
  let seenSent = ''
  await bench.clock.advance(0)
  for (let i = 0; i < returns.length; i++) {
    if (i > 0) await bench.tick()
    const state = bench.manager.groups()[0]!.rules[0]!
    expect(state.lastEvaluationMs).toBe(start + i * MINUTE_MS)
    seenStates += state.kind === 'alerting' ? state.state[0] : '?'
    const batch = bench.sent.filter(({ atMs }) => atMs === bench.clock.nowMs()).flatMap(({ alerts }) => alerts)
    expect(batch.length).toBeLessThanOrEqual(1)
    seenSent += batch.length === 0 ? '-' : batch[0]!.endsAtMs > bench.clock.nowMs() ? 'f' : 'r'
  }
  expect({ states: seenStates, sent: seenSent }).toEqual({ states, sent })
  await bench.manager.stop()
})

test('what is sent: labels, times, link; again for 15 minutes after the end', async () => {
  const start = createBench(() => []).clock.nowMs()
  const bench = createBench(byMinute(start, 'xxx'))
  await bench.load(
    ruleFile('for: 1m\nlabels: {severity: "p{{ $value }}", job: ""}\nannotations: {text: "{{ $labels.job }}"}'),
  )
  bench.manager.start()
  await bench.tick(30)
  const first = bench.sent[0]!
  expect(first.atMs).toBe(start + MINUTE_MS)
  expect(first.alerts).toEqual([
    {
      labels: ['alertname', 'Down', 'severity', 'p7'],
      annotations: ['text', 'node'],
      startsAtMs: start + MINUTE_MS,
      endsAtMs: start + MINUTE_MS + 4 * MINUTE_MS,
      generatorUrl: 'http://bell.example/graph?g0.expr=up&g0.tab=1',
    },
  ])
  const resolved = bench.sent.slice(1)
  expect(resolved.every(({ alerts }) => alerts[0]!.endsAtMs === start + 3 * MINUTE_MS)).toBe(true)
  // Sent at once and then every second minute: a minute is not yet more than the resend delay of one minute.
  expect(resolved.map(({ atMs }) => (atMs - start) / MINUTE_MS)).toEqual([3, 5, 7, 9, 11, 13, 15, 17])
  await bench.manager.stop()
})

test('the resend delay and the interval both stretch endsAt', async () => {
  const bench = createBench(() => UP, { resendDelayMs: 5 * MINUTE_MS })
  await bench.load(ruleFile('for: 0s'))
  bench.manager.start()
  const start = bench.clock.nowMs()
  await bench.tick(13)
  expect(bench.sent.map(({ atMs }) => (atMs - start) / MINUTE_MS)).toEqual([0, 6, 12])
  expect(bench.sent[0]!.alerts[0]!.endsAtMs).toBe(start + 20 * MINUTE_MS)
  await bench.manager.stop()
})

test('ALERTS and ALERTS_FOR_STATE follow the state, with staleness markers', async () => {
  const start = createBench(() => []).clock.nowMs()
  const bench = createBench(byMinute(start, 'xxx'))
  await bench.load(ruleFile('for: 2m'))
  bench.manager.start()
  await bench.tick(0)
  expect(bench.store.dump()).toEqual({}) // Until the state before the start is known.
  await bench.tick(4)
  const activeAt = Math.floor(start / 1000)
  expect(bench.store.dump()).toEqual({
    'ALERTS{alertname="Down", alertstate="firing", job="node"}': [1, 'stale'],
    'ALERTS_FOR_STATE{alertname="Down", job="node"}': [activeAt, 'stale'],
  })
  await bench.manager.stop()
})

test('a later start does not wait for restoring: the series begin with the first evaluation', async () => {
  const bench = createBench(() => UP)
  const activeAt = Math.floor(bench.clock.nowMs() / 1000)
  bench.manager.start()
  await bench.load(ruleFile('for: 1m'))
  await bench.tick(2)
  expect(bench.store.dump()).toEqual({
    'ALERTS{alertname="Down", alertstate="pending", job="node"}': [1, 'stale'],
    'ALERTS{alertname="Down", alertstate="firing", job="node"}': [1, 1],
    'ALERTS_FOR_STATE{alertname="Down", job="node"}': [activeAt, activeAt, activeAt],
  })
  await bench.manager.stop()
})

test('labels and annotations are expanded at each evaluation; a broken template shows its error', async () => {
  let value = 1
  const bench = createBench(() => [[named('up', { i: 'a' }), value++]])
  await bench.load(
    ruleFile('annotations: {v: "{{ $value | humanize }} {{ $externalLabels.dc }}", bad: "{{ .Labels.i.x }}"}'),
  )
  bench.manager.start()
  await bench.tick(1)
  const [alert] = bench.manager.alerts()
  expect(alert!.value).toBe(2)
  expect(labelsToRecord(alert!.annotations)).toEqual({
    v: '2 ',
    bad: expect.stringContaining(
      '<error expanding template: error executing template __alert_Down: template: __alert_Down:1:',
    ),
  })
  await bench.manager.stop()
})

test('equal label sets and a passed limit are errors of the rule', async () => {
  const two = [
    [named('a', { i: '1' }), 1],
    [named('b', { i: '1' }), 1],
  ] as const
  const bench = createBench(() => two)
  await bench.load(ruleFile('for: 0s'))
  bench.manager.start()
  await bench.tick(0)
  expect(bench.manager.groups()[0]!.rules[0]).toMatchObject({
    health: 'err',
    lastError: 'vector contains metrics with the same labelset after applying alert labels',
  })
  await bench.manager.stop()

  const many = createBench(() => [1, 2, 3].map((i) => [{ i: String(i) }, 1] as const))
  await many.load(ruleFile('for: 0s').replace('- name: g', '- name: g\n  limit: 2'))
  many.manager.start()
  await many.tick(0)
  expect(many.manager.groups()[0]!.rules[0]).toMatchObject({
    health: 'err',
    lastError: 'exceeded limit of 2 with 3 alerts',
  })
  expect(many.manager.alerts()).toEqual([])
  expect(many.sent).toEqual([])
  await many.manager.stop()
})

test('alerts are listed with pending ones, in the order of their labels', async () => {
  const bench = createBench(() => [
    [{ i: 'b' }, 2],
    [{ i: 'a' }, 1],
  ])
  await bench.load(ruleFile('for: 1h'))
  bench.manager.start()
  await bench.tick(0)
  expect(bench.manager.alerts().map((alert) => [labelsText(alert.labels), alert.state, alert.value])).toEqual([
    ['{alertname="Down", i="a"}', 'pending', 1],
    ['{alertname="Down", i="b"}', 'pending', 2],
  ])
  expect(bench.sent).toEqual([])
  await bench.manager.stop()
})
