import { expect, test } from 'vitest'
import { ChangeLog } from './change-log.ts'
import type { GroupSnapshot, HeadSnapshot } from './head-snapshot.ts'

interface Rows {
  readonly id: number
  readonly minMs: number
  readonly newestMs: number
  readonly rows: number
}

const group = ({ id, minMs, newestMs, rows }: Rows): GroupSnapshot => ({
  id,
  flags: 0,
  labelSet: 0,
  stream: 0,
  templateId: 0,
  template: 0,
  positionCount: 1,
  stateVersion: 0,
  state: 0,
  stateCapacity: 0,
  openPage: 0,
  open: undefined,
  openRows: rows,
  openMinMs: minMs,
  newestMs,
  pending: [],
  chunks: [],
  words: 0,
})

const snapshot = (groups: readonly Rows[], blockList = '[]'): HeadSnapshot => ({
  groups: groups.map(group),
  blockList,
  catalogueGeneration: 0,
  histograms: { directory: 0, count: 0 },
  missingFromMs: Number.POSITIVE_INFINITY,
})

const A = { id: 1, minMs: 100, newestMs: 500, rows: 5 }
const B = { id: 2, minMs: 200, newestMs: 300, rows: 2 }

/** Up to which time nothing has changed from the first state to the last. */
function unchanged(...states: HeadSnapshot[]): number {
  const log = new ChangeLog()
  const first = log.note(states[0]!)
  for (const state of states.slice(1)) log.note(state)
  return log.unchangedSince(first)
}

const FIRST = snapshot([A, B])
const moreRows = (rows: Rows, newestMs: number): Rows => ({ ...rows, newestMs, rows: rows.rows + 1 })

test.each<[what: string, states: HeadSnapshot[], untilMs: number]>([
  ['nothing', [FIRST, snapshot([A, B])], Number.POSITIVE_INFINITY],
  ['a newer row', [FIRST, snapshot([moreRows(A, 600), B])], 500],
  ['a newer row of a group that lags', [FIRST, snapshot([A, moreRows(B, 350)])], 300],
  ['a lagging one, then another', [FIRST, snapshot([A, moreRows(B, 350)]), snapshot([moreRows(A, 600), B])], 199],
  [
    'the lowest of several',
    [FIRST, snapshot([moreRows(A, 600), B]), snapshot([moreRows(A, 600), moreRows(B, 900)])],
    300,
  ],
  ['a new group', [FIRST, snapshot([A, B, { id: 3, minMs: 250, newestMs: 250, rows: 1 }])], 249],
  ['a new group in the place of one that is gone', [FIRST, snapshot([A, { ...B, id: 3 }])], 199],
  ['a group that is gone', [FIRST, snapshot([B])], 99],
  ['rows that are gone', [FIRST, snapshot([{ ...A, minMs: 150 }, B])], 99],
  ['fewer rows', [FIRST, snapshot([{ ...A, rows: 4 }, B])], 99],
  ['other blocks', [FIRST, snapshot([A, B], '[1]')], Number.NEGATIVE_INFINITY],
])('%s', (_what, states, untilMs) => {
  expect(unchanged(...states)).toBe(untilMs)
})

test('equal states have equal numbers; of states long ago nothing is known', () => {
  const log = new ChangeLog()
  const first = log.note(FIRST)
  expect(log.note(FIRST)).toBe(first)
  for (let i = 1; i <= 10_000; i++) log.note(snapshot([{ ...A, newestMs: 500 + i, rows: 5 + i }, B]))
  expect(log.unchangedSince(first)).toBe(Number.NEGATIVE_INFINITY)
  const last = log.note(snapshot([{ ...A, newestMs: 10_500, rows: 10_005 }, B]))
  expect(log.unchangedSince(last - 1)).toBe(10_499)
  expect(log.unchangedSince(last)).toBe(Number.POSITIVE_INFINITY)
})
