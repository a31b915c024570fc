/** What an alert generator owes its users: the cases of the Prometheus project's alert generator compliance programme. */
import { describe, expect, test } from 'vitest'
import {
  type Course,
  INTERVAL_MS,
  isAlert,
  type Labels,
  MINUTE_MS,
  type Received,
  RESEND_DELAY_MS,
  type Run,
  runCompliance,
} from './testing/compliance.ts'

const RESOLVED_RETENTION_MS = 15 * MINUTE_MS
const ENDS_AFTER_MS = 4 * Math.max(RESEND_DELAY_MS, INTERVAL_MS)

type State = 'inactive' | 'pending' | 'firing'

/** One alert from beginning to end: from which minute on it is in which state. It begins inactive. */
interface ExpectedAlert {
  readonly labels: Labels
  readonly states: readonly (readonly [fromMinute: number, state: State])[]
  readonly annotations?: Labels
  /** Minutes to the value that the alert shows; by default that is not looked at. */
  readonly valueAt?: (minute: number) => number
}

interface Phase {
  readonly state: State
  readonly fromMs: number
  readonly activeAtMs: number
  readonly firedAtMs: number
}

function phasesOf({ states }: ExpectedAlert): Phase[] {
  const phases: Phase[] = [{ state: 'inactive', fromMs: 0, activeAtMs: 0, firedAtMs: 0 }]
  for (const [minute, state] of states) {
    const fromMs = minute * MINUTE_MS
    const last = phases.at(-1)!
    const activeAtMs = last.state === 'inactive' ? fromMs : last.activeAtMs
    const firedAtMs = state === 'firing' ? fromMs : last.firedAtMs
    phases.push({ state, fromMs, activeAtMs, firedAtMs })
  }
  return phases
}

const phaseAt = (phases: readonly Phase[], atMs: number): Phase => phases.findLast(({ fromMs }) => fromMs <= atMs)!

function course(values: Course): (minute: number) => number {
  return (minute) => {
    let end = 0
    for (const [value, minutes] of values) {
      end += minutes
      if (minute < end) return value ?? Number.NaN
    }
    return Number.NaN
  }
}

/** Everything that can be asked for, at every evaluation. */
function checkMoments(run: Run, expected: readonly ExpectedAlert[]): void {
  const all = expected.map((alert) => ({ ...alert, phases: phasesOf(alert) }))
  for (const { atMs, alerts, alertsSeries, rules } of run.moments) {
    const minute = atMs / MINUTE_MS
    const now = all.map((alert) => ({ ...alert, phase: phaseAt(alert.phases, atMs) }))
    const active = now.filter(({ phase }) => phase.state !== 'inactive')
    expect(alerts.length, `alerts at minute ${minute}`).toBe(active.length)
    expect(alertsSeries.length, `ALERTS at minute ${minute}`).toBe(active.length)
    for (const { labels, phase, annotations, valueAt } of active) {
      const shown = alerts.find((alert) => isAlert(alert.labels, labels))
      expect(shown, `${labels.alertname} at minute ${minute}`).toMatchObject({
        state: phase.state,
        activeAtMs: phase.activeAtMs,
        ...(annotations && { annotations }),
        ...(valueAt && { value: valueAt(minute) }),
      })
      const series = alertsSeries.filter((one) => isAlert(one, { ...labels, alertstate: phase.state }))
      expect(series, `ALERTS of ${labels.alertname} at minute ${minute}`).toHaveLength(1)
    }
    for (const [name, { state, health }] of rules) {
      expect(health).toBe('ok')
      const states = now.filter(({ labels }) => labels.alertname === name).map(({ phase }) => phase.state)
      const most = ['firing', 'pending'].find((one) => states.includes(one as State)) ?? 'inactive'
      expect(state, `rule ${name} at minute ${minute}`).toBe(most)
    }
  }
}

/** Everything that is sent, and nothing else: at once, again after the delay, and for a while after the end. */
function checkReceived(run: Run, expected: readonly ExpectedAlert[]): void {
  const endMs = run.moments.at(-1)!.atMs
  const known = run.received.filter(({ labels }) => expected.some((alert) => isAlert(labels, alert.labels)))
  expect(known.length, 'alerts nobody expects').toBe(run.received.length)
  for (const alert of expected) {
    const own = run.received.filter(({ labels }) => isAlert(labels, alert.labels))
    const phases = phasesOf(alert)
    let count = 0
    for (const [i, phase] of phases.entries()) {
      const hasFired = i > 0 && (phase.state === 'firing' || phases[i - 1]!.state === 'firing')
      const untilMs = Math.min(
        phases[i + 1]?.fromMs ?? endMs + 1,
        // A pending alert takes the place of the one that is over.
        phase.state === 'firing' ? Number.POSITIVE_INFINITY : phase.fromMs + RESOLVED_RETENTION_MS + INTERVAL_MS,
      )
      const inPhase = own.filter(({ atMs }) => atMs >= phase.fromMs && atMs < untilMs)
      if (!hasFired) {
        expect(inPhase, `sent while ${phase.state}`).toEqual([])
        continue
      }
      count += inPhase.length
      checkPhase(inPhase, phase, untilMs, alert)
    }
    expect(own.length, `of ${alert.labels.alertname}`).toBe(count)
  }
}

function checkPhase(sent: readonly Received[], phase: Phase, untilMs: number, alert: ExpectedAlert): void {
  expect(sent[0]?.atMs, `${alert.labels.alertname} ${phase.state} at ${phase.fromMs / MINUTE_MS}`).toBe(phase.fromMs)
  for (const [i, { atMs, startsAtMs, endsAtMs, generatorUrl, annotations }] of sent.entries()) {
    expect(startsAtMs).toBe(phase.firedAtMs)
    expect(endsAtMs).toBe(phase.state === 'firing' ? atMs + ENDS_AFTER_MS : phase.fromMs)
    expect(generatorUrl).toMatch(/^http:\/\/bell\.example\/graph\?/)
    if (alert.annotations) expect(annotations).toEqual(alert.annotations)
    const nextMs = sent[i + 1]?.atMs ?? untilMs
    if (i + 1 < sent.length) expect(nextMs - atMs).toBeGreaterThanOrEqual(RESEND_DELAY_MS)
    // The tolerance: one interval.
    expect(nextMs - atMs).toBeLessThanOrEqual(RESEND_DELAY_MS + INTERVAL_MS)
  }
}

function checkAll(run: Run, expected: readonly ExpectedAlert[]): void {
  checkMoments(run, expected)
  checkReceived(run, expected)
}

const group = (...rules: string[]): string =>
  `groups:\n- name: g\n  interval: 30s\n  rules:\n${rules.map((rule) => rule.replace(/^/gm, '  ')).join('\n')}\n`

describe('pending, firing, resolved, and again', () => {
  test.each([
    { name: 'long after it was over', pause: 20 },
    { name: 'while the end is still being told', pause: 4 },
  ])('$name', async ({ pause }) => {
    const values: Course = [
      [5, 4],
      [15, 10],
      [5, pause],
      [16, 3],
      [5, 2],
      [17, 8],
      [5, 17],
    ]
    const run = await runCompliance(
      group(
        '- alert: High\n  expr: load > 10\n  for: 6m\n  labels: {team: a, host: box}\n  annotations: {text: "is {{ $value }}"}',
      ),
      { 'load{host="h1",zone="z"}': values },
    )
    const again = 14 + pause
    const alert: ExpectedAlert = {
      labels: { alertname: 'High', host: 'box', zone: 'z', team: 'a' },
      states: [
        [4, 'pending'],
        [10, 'firing'],
        [14, 'inactive'],
        [again, 'pending'],
        [again + 3, 'inactive'],
        [again + 5, 'pending'],
        [again + 11, 'firing'],
        [again + 13, 'inactive'],
      ],
      valueAt: course(values),
    }
    checkAll(run, [alert])
    expect(run.received.map(({ annotations }) => annotations.text)).toContain('is 17')
  })
})

test('pending and resolved before it fires; a rule that is never active', async () => {
  const run = await runCompliance(
    group('- alert: Brief\n  expr: load > 10\n  for: 5m', '- alert: Never\n  expr: load > 1000\n  for: 1m'),
    {
      'load{host="a"}': [
        [5, 3],
        [15, 2],
        [5, 3],
        [15, 4],
        [5, 6],
      ],
      'load{host="b"}': [[5, 18]],
    },
  )
  const states = [
    [3, 'pending'],
    [5, 'inactive'],
    [8, 'pending'],
    [12, 'inactive'],
  ] as const
  checkAll(run, [{ labels: { alertname: 'Brief', host: 'a' }, states }])
  expect(run.received).toEqual([])
  expect(run.moments.every(({ rules }) => rules.get('Never')!.state === 'inactive')).toBe(true)
})

describe('no waiting, and less waiting than an interval', () => {
  const ANNOTATIONS: Readonly<Record<string, readonly [template: string, text: string]>> = {
    humanize: ['{{ humanize 1234567.0 }}', '1.235M'],
    humanize1024: ['{{ humanize1024 1234567.0 }}', '1.177Mi'],
    humanizeDuration: ['{{ humanizeDuration 3661.0 }}', '1h 1m 1s'],
    humanizePercentage: ['{{ humanizePercentage 0.1234 }}', '12.34%'],
    humanizeTimestamp: ['{{ humanizeTimestamp 1435065584.128 }}', '2015-06-23 13:19:44.128 +0000 UTC'],
    case: ['{{ title "team one" }} {{ toUpper "up" }} {{ toLower "DOWN" }}', 'Team One UP down'],
    regex: ['{{ reReplaceAll "(.*):.*" "$1" .Labels.instance }} {{ match "^ho" $labels.instance }}', 'host true'],
    value: ['{{ .Value }} {{ $value }}', '15 15'],
    query: ['{{ with query "other" }}{{ . | first | label "zone" }} {{ . | first | value }}{{ end }}', 'north 7'],
    sorted: ['{{ range query "unsorted" | sortByLabel "zone" }}{{ .Labels.zone }} {{ end }}', 'a b c '],
    defined: ['{{ define "t" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template "t" (args 1 "two") }}', '1-two'],
    network: ['{{ stripPort "host:9100" }} {{ parseDuration "1h" }}', 'host 3600'],
  }
  const annotations = Object.entries(ANNOTATIONS).map(([name, [template]]) => `    ${name}: '${template}'`)
  const rule = (name: string, wait: string): string =>
    `- alert: ${name}\n  expr: load > 10\n${wait}  labels: {level: '{{ if gt $value 10.0 }}high{{ end }}'}\n  annotations:\n${annotations.join('\n')}`

  test('fires at the first evaluation, or at the second; templates are filled in', async () => {
    const run = await runCompliance(group(rule('Zero', ''), rule('Small', '  for: 15s\n')), {
      'load{instance="host:9100"}': [
        [5, 2],
        [15, 4],
        [5, 17],
      ],
      'other{zone="north"}': [[7, 23]],
      'unsorted{zone="b"}': [[1, 23]],
      'unsorted{zone="c"}': [[1, 23]],
      'unsorted{zone="a"}': [[1, 23]],
    })
    const filled = Object.fromEntries(Object.entries(ANNOTATIONS).map(([name, [, text]]) => [name, text]))
    const labels = { instance: 'host:9100', level: 'high' }
    const end = [6, 'inactive'] as const
    checkAll(run, [
      { labels: { ...labels, alertname: 'Zero' }, states: [[2, 'firing'], end], annotations: filled },
      {
        labels: { ...labels, alertname: 'Small' },
        states: [[2, 'pending'], [2.5, 'firing'], end],
        annotations: filled,
      },
    ])
  })
})

describe('rules of a group run in order', () => {
  test('one sees the alerts of those before it in the same evaluation, those after it in the next; new alerts join', async () => {
    const run = await runCompliance(
      group(
        `- alert: Before\n  expr: sum by (host) (ALERTS{alertname="Source",alertstate="firing"})`,
        '- alert: Source\n  expr: load > 10',
        `- alert: After\n  expr: sum by (host) (ALERTS{alertname="Source",alertstate="firing"})`,
      ),
      {
        'load{host="a"}': [
          [5, 2],
          [15, 5],
          [5, 18],
        ],
        'load{host="b"}': [
          [undefined, 4],
          [15, 5],
          [5, 16],
        ],
      },
    )
    const alert = (alertname: string, host: string, from: number, to: number): ExpectedAlert => ({
      labels: { alertname, host },
      states: [
        [from, 'firing'],
        [to, 'inactive'],
      ],
    })
    checkAll(run, [
      alert('Before', 'a', 2.5, 7.5),
      alert('Before', 'b', 4.5, 9.5),
      alert('Source', 'a', 2, 7),
      alert('Source', 'b', 4, 9),
      alert('After', 'a', 2, 7),
      alert('After', 'b', 4, 9),
    ])
  })

  test('alerts that become the same by their labels are a fault of the rule, and none of them is an alert', async () => {
    const run = await runCompliance(group('- alert: Same\n  expr: load > 10\n  labels: {host: all}'), {
      'load{host="a"}': [[15, 5]],
      'load{host="b"}': [
        [5, 2],
        [15, 3],
      ],
    })
    for (const { atMs, rules, alerts } of run.moments) {
      const isFault = atMs >= 2 * MINUTE_MS
      expect(rules.get('Same')).toMatchObject({
        health: isFault ? 'err' : 'ok',
        lastError: isFault ? 'vector contains metrics with the same labelset after applying alert labels' : '',
      })
      expect(alerts.filter(({ activeAtMs }) => activeAtMs >= 2 * MINUTE_MS)).toEqual([])
    }
    expect(run.received.every(({ atMs, labels }) => atMs < 2 * MINUTE_MS && labels.host === 'all')).toBe(true)
  })
})
