import { describe } from 'vitest'
import { byName, type Case, conf, playCases, push, silence, T } from './test-scenarios.ts'
import type { PushedAlert } from './test-support.ts'

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

describe('muting', () => playCases(MUTING))
