import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, test } from 'vitest'
import { type Board, bindBoard } from '../model/board.ts'
import { expandIntervals } from '../model/interval.ts'
import { BUILT_IN_BOARDS, offeredBoards, SIGNS_EXPR } from './built-in.ts'
import { hostBoard } from './host.ts'
import { selfBoard } from './self.ts'
import { serviceBoard } from './service.ts'
import { BURN_WINDOWS, sloBoard } from './slo.ts'

const http = { job: 'shop "x"', family: 'http_request_duration_seconds', native: false, unit: 's' } as const
const boards: Board[] = [
  bindBoard(hostBoard, { host: 'job="node",instance="a:9100"' }),
  selfBoard,
  serviceBoard({ ...http, statusLabel: 'status_code', routeLabel: 'route', methodLabel: 'method' }),
  serviceBoard(http),
  serviceBoard({ ...http, native: true, statusLabel: 'code' }),
  ...BUILT_IN_BOARDS.map(({ build }) => build('shop "x"')),
  sloBoard({ ...http, statusLabel: 'code' }, 0.999)!,
  sloBoard({ ...http, native: true, statusLabel: 'code' }, 0.99)!,
]

function syntaxErrors(expr: string): number {
  let count = 0
  parser.parse(expr).iterate({ enter: (node) => void (node.type.isError && count++) })
  return count
}

for (const [i, board] of boards.entries()) {
  describe(`board ${i}: ${board.title}`, () => {
    const panels = board.rows.flatMap((row) => row.panels)
    test('panel ids are unique', () => expect(new Set(panels.map((p) => p.id)).size).toBe(panels.length))
    test('a table has a column per query', () => {
      for (const panel of panels) if (panel.kind === 'table') expect(panel.columns).toHaveLength(panel.queries.length)
    })
    for (const panel of panels) {
      test(`${panel.id}: expressions are PromQL once variables are bound`, () => {
        expect(panel.queries.length).toBeGreaterThan(0)
        for (const { expr } of panel.queries) {
          const bound = expandIntervals(expr, { stepMs: 15_000, rateIntervalMs: 60_000, rangeMs: 3_600_000 })
          expect(bound).not.toMatch(/\$[a-z_{]/)
          expect(syntaxErrors(bound), bound).toBe(0)
        }
      })
    }
  })
}

test('a syntax error would be noticed', () => expect(syntaxErrors('sum(rate(x[5m])')).toBeGreaterThan(0))

test('a board is offered for every job that has its metric, and a common one once', () => {
  const offered = offeredBoards([
    { sign: 'nodejs_version_info', job: 'shop' },
    { sign: 'nodejs_version_info', job: 'api' },
    { sign: 'push_time_seconds', job: 'nightly' },
    { sign: 'up', job: 'other' },
  ])
  expect(offered.map(({ board, jobs }) => [board.kind, jobs])).toEqual([
    ['node', ['api', 'shop']],
    ['push', []],
  ])
  expect(syntaxErrors(SIGNS_EXPR)).toBe(0)
})

test('burn rates: a short window is a twelfth of the long one, and the factors spend what is said', () => {
  const hours = { m: 1 / 60, h: 1, d: 24 } as const
  const inHours = (text: string) => Number.parseInt(text, 10) * hours[text.at(-1) as keyof typeof hours]
  expect(BURN_WINDOWS.map(({ long, short }) => inHours(long) / inHours(short))).toEqual([12, 12, 12, 12])
  const spent = BURN_WINDOWS.map(({ long, factor }) => (factor * inHours(long)) / (30 * 24))
  for (const [i, want] of [0.02, 0.05, 0.1, 0.1].entries()) expect(spent[i]).toBeCloseTo(want, 10)
})

test('an objective needs failures that can be told apart', () => {
  expect(sloBoard(http, 0.999)).toBeUndefined()
  const [now] = sloBoard({ ...http, statusLabel: 'code' }, 0.999)!.rows
  expect(now!.panels[0]!.queries[0]!.expr).toMatch(/\/ 0\.001\)$/)
})
