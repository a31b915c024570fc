import { describe } from 'vitest'
import { byName, type Case, conf, playCases, push, reload, T } from './test-scenarios.ts'

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

describe('routing', () => playCases(ROUTING))
describe('groups', () => playCases(GROUPS))
describe('reloads', () => playCases(RELOADS))
