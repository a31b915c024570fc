import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMatcher, type MatchType } from '../model/index.ts'
import { type AlertmanagerOptions, parseAlertmanagerConfig } from './index.ts'
import { type PushedAlert, Scenario, START_MS } from './test-support.ts'

const RECEIVERS = `
receivers:
  - { name: r1, webhook_configs: [{ url: 'http://hook/1' }] }
  - { name: r2, webhook_configs: [{ url: 'http://hook/2' }] }
  - { name: r3, webhook_configs: [{ url: 'http://hook/3' }] }
  - { name: quiet, webhook_configs: [{ url: 'http://hook/quiet', send_resolved: false }] }
`
const TIMES = 'group_wait: 1s, group_interval: 2s, repeat_interval: 1h'
/** Told at second 1, then every other second as far as there is something to tell. */
const conf = (route: string, more = ''): string => `route: { receiver: r3, ${TIMES}, ${route} }\n${more}${RECEIVERS}`
const byName = 'group_by: [alertname]'

type Step = readonly [atS: number, act: (s: Scenario) => unknown]
const push =
  (...alerts: PushedAlert[]) =>
  (s: Scenario): unknown =>
    s.push(...alerts)
const T = (labels: Record<string, string> = {}, more: Partial<PushedAlert> = {}): PushedAlert => ({
  name: 'T',
  startS: 0,
  labels,
  ...more,
})
const silence =
  (fromS: number, toS: number, name: string, type: MatchType, value: string) =>
  (s: Scenario): unknown =>
    s.alertmanager.setSilence({
      matchers: [createMatcher(type, name, value)],
      startsAtMs: START_MS + fromS * 1000,
      endsAtMs: START_MS + toS * 1000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
const reload =
  (config: string) =>
  (s: Scenario): unknown =>
    s.alertmanager.applyConfig(parseAlertmanagerConfig('/etc/alertmanager.yml', config))

interface Case {
  readonly what: string
  readonly config: string
  readonly steps: readonly Step[]
  readonly endS: number
  /** By path of the webhook; the others hear nothing. */
  readonly told: Readonly<Record<string, readonly string[]>>
}

const ROUTING: readonly Case[] = [
  {
    what: 'continue: the next sibling that fits is told, too',
    config: conf(
      `${byName}, routes: [{ receiver: r1, matchers: ['x="1"'], continue: true }, { receiver: r2, matchers: ['x="1"'] }]`,
    ),
    steps: [[0, push(T({ x: '1' }))]],
    endS: 4,
    told: { '/1': ['1: T/1 0'], '/2': ['1: T/1 0'] },
  },
  {
    what: 'without continue the first one that fits is the only one',
    config: conf(`${byName}, routes: [{ receiver: r1, matchers: ['x="1"'] }, { receiver: r2, matchers: ['x="1"'] }]`),
    steps: [[0, push(T({ x: '1' }))]],
    endS: 4,
    told: { '/1': ['1: T/1 0'] },
  },
  {
    what: 'continue where no sibling fits does not bring in the parent',
    config: conf(
      `${byName}, routes: [{ receiver: r1, matchers: ['x="1"'], continue: true }, { receiver: r2, matchers: ['x="2"'] }]`,
    ),
    steps: [[0, push(T({ x: '1' }))]],
    endS: 4,
    told: { '/1': ['1: T/1 0'] },
  },
  {
    what: 'what no child takes is the parent’s',
    config: conf(`${byName}, routes: [{ receiver: r1, matchers: ['x="1"'] }]`),
    steps: [[0, push(T({ x: '2' }))]],
    endS: 4,
    told: { '/3': ['1: T/2 0'] },
  },
  {
    what: 'a grandchild without a receiver has that of its parent, and groups in its own way',
    config: conf(
      `${byName}, routes: [{ receiver: r1, matchers: ['x="1"'], routes: [{ matchers: ['y="1"'], group_by: [x] }] }]`,
    ),
    steps: [[0, push(T({ x: '1', y: '1' }), { name: 'U', startS: 0, labels: { x: '1', y: '1' } })]],
    endS: 4,
    told: { '/1': ['1: T/1/1 0, U/1/1 0'] },
  },
  {
    what: 'continue in a grandchild stays within its parent',
    config: conf(
      `${byName}, routes: [{ receiver: r1, matchers: ['x="1"'], routes: [{ matchers: ['y="1"'], continue: true }] }, { receiver: r2, matchers: ['x="1"'] }]`,
    ),
    steps: [[0, push(T({ x: '1', y: '1' }))]],
    endS: 4,
    told: { '/1': ['1: T/1/1 0'] },
  },
  {
    what: 'group_by ...: each alert by itself',
    config: conf(`group_by: ['...']`),
    steps: [[0, push(T({ x: '1' }), T({ x: '2' }))]],
    endS: 4,
    told: { '/3': ['1: T/1 0', '1: T/2 0'] },
  },
  {
    what: 'alerts without the label that is grouped by are a group',
    config: conf('group_by: [x]'),
    steps: [[0, push(T(), { name: 'U', startS: 0 }, T({ x: '1' }))]],
    endS: 4,
    told: { '/3': ['1: T 0, U 0', '1: T/1 0'] },
  },
  {
    what: 'a child has times of its own',
    config: conf(`${byName}, routes: [{ receiver: r1, matchers: ['x="1"'], group_wait: 3s, group_interval: 5s }]`),
    steps: [
      [0, push(T({ x: '1' }), T({ x: '2' }))],
      [4, push(T({ x: '1', y: '1' }), T({ x: '2', y: '1' }))],
    ],
    endS: 9,
    told: { '/1': ['3: T/1 0', '8: T/1 0, T/1/1 0'], '/3': ['1: T/2 0', '5: T/2 0, T/2/1 0'] },
  },
  {
    what: 'expressions fit whole values only; what is missing is empty',
    config: conf(
      `${byName}, routes: [{ receiver: r1, matchers: ['x=~"a|b"'] }, { receiver: r2, matchers: ['x!~"ab?c?"', 'y!="1"'] }]`,
    ),
    steps: [[0, push(T({ x: 'a' }), T({ x: 'ab' }), T({ x: 'zz' }), T(), T({ x: 'q', y: '1' }))]],
    endS: 4,
    told: { '/1': ['1: T/a 0'], '/2': ['1: T 0, T/zz 0'], '/3': ['1: T/ab 0, T/q/1 0'] },
  },
  {
    what: 'match and match_re, as they were once written',
    config: conf(`${byName}, routes: [{ receiver: r1, match: { x: '1' } }, { receiver: r2, match_re: { x: '2|3' } }]`),
    steps: [[0, push(T({ x: '1' }), T({ x: '3' }), T({ x: '33' }))]],
    endS: 4,
    told: { '/1': ['1: T/1 0'], '/2': ['1: T/3 0'], '/3': ['1: T/33 0'] },
  },
]

const GROUPS: readonly Case[] = [
  {
    what: 'an alert that joins is told with all of its group',
    config: conf(byName),
    steps: [
      [0, push(T({ x: '1' }))],
      [2, push(T({ x: '2' }, { startS: 2 }))],
    ],
    endS: 8,
    told: { '/3': ['1: T/1 0', '3: T/1 0, T/2 2'] },
  },
  {
    what: 'one that ends and one that begins are told at once; the ended one is gone afterwards',
    config: conf(byName),
    steps: [
      [0, push(T({ x: '1' }))],
      [2, push(T({ x: '1' }, { endS: 2 }), T({ x: '2' }, { startS: 2 }))],
      [4, push(T({ x: '3' }, { startS: 4 }))],
    ],
    endS: 8,
    told: { '/3': ['1: T/1 0', '3: T/1 0-2, T/2 2', '5: T/2 2, T/3 4'] },
  },
  {
    what: 'what ends before it was told of is never told of',
    config: conf(byName),
    steps: [
      [0, push(T())],
      [0.5, push(T({}, { endS: 0.5 }))],
    ],
    endS: 8,
    told: {},
  },
  {
    what: 'what ends and begins again before it was told of is told as firing',
    config: conf(byName),
    steps: [
      [0, push(T())],
      [0.4, push(T({}, { endS: 0.4 }))],
      [0.6, push(T({}, { startS: 0.6 }))],
    ],
    endS: 2,
    told: { '/3': ['1: T 0.6'] },
  },
  {
    what: 'what begins again after its end was told of is told of again',
    config: conf(byName),
    steps: [
      [0, push(T())],
      [2, push(T({}, { endS: 2 }))],
      [4, push(T({}, { startS: 4 }))],
    ],
    endS: 6,
    told: { '/3': ['1: T 0', '3: T 0-2', '5: T 4'] },
  },
  {
    what: 'what ends and begins again between two ticks is no news',
    config: conf(byName),
    steps: [
      [0, push(T())],
      [1.5, push(T({}, { endS: 1.5 }))],
      [2, push(T({}, { startS: 2 }))],
    ],
    endS: 6,
    told: { '/3': ['1: T 0'] },
  },
  {
    what: 'who does not hear of ends hears of new ones',
    config: conf(`${byName}, routes: [{ receiver: quiet, matchers: ['x=~".+"'] }]`),
    steps: [
      [0, push(T({ x: '1' }))],
      [2, push(T({ x: '1' }, { endS: 2 }))],
      [4, push(T({ x: '2' }, { startS: 4 }))],
    ],
    endS: 8,
    told: { '/quiet': ['1: T/1 0', '5: T/2 4'] },
  },
  {
    what: 'a lease that is renewed does not run out; one that is not does',
    config: conf(byName),
    steps: [
      [0, push(T({}, { endS: 3 }))],
      [2, push(T({}, { endS: 5 }))],
      [4, push(T({}, { endS: 6.5 }))],
    ],
    endS: 10,
    told: { '/3': ['1: T 0', '7: T 0-6.5'] },
  },
  {
    what: 'what began long ago does not wait for company',
    config: conf(byName),
    steps: [[0.2, push(T({}, { startS: -100 }))]],
    endS: 3,
    told: { '/3': ['0.2: T -100'] },
  },
  {
    what: 'repeated after its interval, at the tick that follows; a change is told at once and starts it anew',
    config: conf(`${byName}, repeat_interval: 3500ms`).replace('repeat_interval: 1h, ', ''),
    steps: [
      [0, push(T({ x: '1' }))],
      [6, push(T({ x: '2' }, { startS: 6 }))],
    ],
    endS: 12,
    told: { '/3': ['1: T/1 0', '5: T/1 0', '7: T/1 0, T/2 6', '11: T/1 0, T/2 6'] },
  },
]

const INHIBIT = `inhibit_rules: [{ source_matchers: [alertname=S], target_matchers: [alertname=T], equal: [x] }]\n`
const S = (labels: Record<string, string> = {}, more: Partial<PushedAlert> = {}): PushedAlert => ({
  ...T(labels, more),
  name: 'S',
})
const often = (text: string): string => text.replace('repeat_interval: 1h', 'repeat_interval: 1500ms')

const MUTING: readonly Case[] = [
  {
    what: 'inhibition that appears late: told, then quiet, then told again',
    config: often(conf(`${byName}, routes: [{ receiver: r1, matchers: [alertname=S], repeat_interval: 1h }]`, INHIBIT)),
    steps: [
      [0, push(T({ x: '1' }))],
      [2, push(S({ x: '1' }, { startS: 2 }))],
      [6, push(S({ x: '1' }, { startS: 2, endS: 6 }))],
    ],
    endS: 8,
    told: { '/3': ['1: T/1 0', '7: T/1 0'], '/1': ['3: S/1 2', '7: S/1 2-6'] },
  },
  {
    what: 'inhibition needs equal labels; what both lack is equal',
    config: conf(byName, INHIBIT),
    steps: [[0, push(S(), S({ x: '1' }), T(), T({ x: '1' }), T({ x: '2' }))]],
    endS: 3,
    told: { '/3': ['1: S 0, S/1 0', '1: T/2 0'] },
  },
  {
    what: 'a source that has ended inhibits nothing',
    config: conf(byName, INHIBIT),
    steps: [[0, push(S({}, { startS: -5, endS: -1 }), T())]],
    endS: 3,
    told: { '/3': ['1: T 0'] },
  },
  {
    what: 'what is inhibited inhibits nevertheless',
    config: conf(
      byName,
      `inhibit_rules:
  - { source_matchers: [alertname=S], target_matchers: [alertname=T] }
  - { source_matchers: [alertname=T], target_matchers: [alertname=U] }
`,
    ),
    steps: [[0, push(S(), T(), { name: 'U', startS: 0 })]],
    endS: 3,
    told: { '/3': ['1: S 0'] },
  },
  {
    what: 'what is silenced inhibits nevertheless',
    config: conf(byName, INHIBIT),
    steps: [
      [0, silence(0, 100, 'alertname', '=', 'S')],
      [0, push(S(), T())],
    ],
    endS: 3,
    told: {},
  },
  {
    what: 'a silence that begins later mutes from then on',
    config: often(conf(byName)),
    steps: [
      [0, silence(4, 8, 'alertname', '=', 'T')],
      [0, push(T())],
    ],
    endS: 10,
    told: { '/3': ['1: T 0', '3: T 0', '9: T 0'] },
  },
  {
    what: 'of two silences the longer one counts',
    config: conf(byName),
    steps: [
      [0, silence(0, 4, 'alertname', '=', 'T')],
      [0, silence(0, 6, 'alertname', '=~', 'T|U')],
      [0, push(T())],
    ],
    endS: 8,
    told: { '/3': ['7: T 0'] },
  },
  {
    what: 'silences by what is there at all, and by labels of any letters',
    config: conf('group_by: []'),
    steps: [
      [0, silence(0, 100, 'x', '!=', '')],
      [0, silence(0, 100, 'straße', '=~', 'k.*')],
      [0, push(T(), T({ x: '1' }), T({ straße: 'kurz' }), T({ straße: 'lang' }))],
    ],
    endS: 3,
    told: { '/3': ['1: T 0, T/lang 0'] },
  },
  {
    what: 'a silence of some of a group leaves the others',
    config: conf(byName),
    steps: [
      [0, silence(0, 100, 'x', '=', '1')],
      [0, push(T({ x: '1' }), T({ x: '2' }))],
    ],
    endS: 5,
    told: { '/3': ['1: T/2 0'] },
  },
  {
    what: 'nested mutes: told only when interval, silence and inhibition are all over',
    // Second 0 is a Monday, 12:00 UTC.
    config: conf(
      `${byName}, routes: [{ receiver: r1, matchers: [alertname=T], mute_time_intervals: [noon] }, { receiver: r2, matchers: [alertname=S] }]`,
      `${INHIBIT}time_intervals: [{ name: noon, time_intervals: [{ times: [{ start_time: '12:00', end_time: '12:01' }] }] }]\n`,
    ),
    steps: [
      [0, silence(0, 70, 'alertname', '=', 'T')],
      [0, push(T(), S())],
      [80, push(S({}, { endS: 80 }))],
    ],
    endS: 84,
    told: { '/1': ['81: T 0'], '/2': ['1: S 0', '81: S 0-80'] },
  },
  {
    what: 'a muted child does not quieten its sibling',
    config: conf(
      `${byName}, routes: [{ receiver: r1, mute_time_intervals: [noon], continue: true }, { receiver: r2, active_time_intervals: [noon] }]`,
      `time_intervals: [{ name: noon, time_intervals: [{ times: [{ start_time: '12:00', end_time: '12:01' }] }] }]\n`,
    ),
    steps: [[0, push(T())]],
    endS: 64,
    told: { '/1': ['61: T 0'], '/2': ['1: T 0'] },
  },
]

const RELOADS: readonly Case[] = [
  {
    what: 'regrouped by a reload: the new groups are told as new',
    config: conf(byName),
    steps: [
      [0, push(T({ x: '1' }), T({ x: '2' }))],
      [2, reload(conf('group_by: [x]'))],
    ],
    endS: 5,
    told: { '/3': ['1: T/1 0, T/2 0', '2: T/1 0', '2: T/2 0'] },
  },
  {
    what: 'another receiver by a reload: it is told, the former one no more',
    config: conf(byName),
    steps: [
      [0, push(T())],
      [2, reload(conf(byName).replace('receiver: r3', 'receiver: r1'))],
      [4, push(T({}, { endS: 4 }))],
    ],
    endS: 8,
    told: { '/3': ['1: T 0'], '/1': ['2: T 0', '6: T 0-4'] },
  },
]

describe.each([
  ['routing', ROUTING],
  ['groups', GROUPS],
  ['muting', MUTING],
  ['reloads', RELOADS],
] as const)('%s', (_area, cases) => {
  test.each(cases)('$what', async ({ config, steps, endS, told }) => {
    const s = await Scenario.start(config)
    await s.run(
      steps.map(([atS, act]) => [atS, () => act(s)]),
      endS,
    )
    const heard = Object.fromEntries(
      ['/1', '/2', '/3', '/quiet'].map((path) => [path, s.received(path)] as const).filter(([, all]) => all.length > 0),
    )
    expect(heard).toEqual(told)
  })
})

describe('restarts in between', () => {
  async function withRestart(options: {
    readonly before: readonly Step[]
    readonly stopS: number
    readonly startS: number
    readonly after: readonly Step[]
    readonly endS: number
  }): Promise<readonly [before: string[], after: string[]]> {
    const folder = mkdtempSync(join(tmpdir(), 'belltower-'))
    const given: Partial<AlertmanagerOptions> = { dataDir: folder }
    try {
      const first = await Scenario.start(conf(byName), given)
      await first.run(
        options.before.map(([atS, act]) => [atS, () => act(first)]),
        options.stopS,
      )
      const second = await Scenario.start(conf(byName), given, options.startS)
      await second.run(
        options.after.map(([atS, act]) => [atS, () => act(second)]),
        options.endS,
      )
      return [first.received('/3'), second.received('/3')]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test('before the first notification: it goes out', async () => {
    const told = await withRestart({ before: [[0, push(T())]], stopS: 0.5, startS: 0.7, after: [], endS: 4 })
    expect(told).toEqual([[], ['1: T 0']])
  })

  test('after it: nothing is told again, the timer goes on, the end is told', async () => {
    const after: Step[] = [[4, push(T({}, { endS: 4 }))]]
    const told = await withRestart({ before: [[0, push(T())]], stopS: 2, startS: 2.5, after, endS: 8 })
    expect(told).toEqual([['1: T 0'], ['5: T 0-4']])
  })

  test('through a silence: it holds, and its end is noticed', async () => {
    const before: Step[] = [
      [0, silence(0, 6, 'alertname', '=', 'T')],
      [0, push(T())],
    ]
    const told = await withRestart({ before, stopS: 2, startS: 4, after: [], endS: 9 })
    // The tick that was missed comes at once, the next one when the silence is over.
    expect(told).toEqual([[], ['6: T 0']])
  })

  test('over the time at which it was due: it goes out at once', async () => {
    const told = await withRestart({ before: [[0, push(T())]], stopS: 0.5, startS: 5, after: [], endS: 6 })
    expect(told).toEqual([[], ['5: T 0']])
  })
})
