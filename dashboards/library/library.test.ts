import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, test } from 'vitest'
import { type Board, bindBoard } from '../model/board.ts'
import { expandIntervals } from '../model/interval.ts'
import { hostBoard } from './host.ts'
import { selfBoard } from './self.ts'
import { serviceBoard } from './service.ts'

const http = { job: 'shop "x"', family: 'http_request_duration_seconds', native: false, unit: 's' } as const
const boards: Board[] = [
  bindBoard(hostBoard, { host: 'job="node",instance="a:9100"' }),
  selfBoard,
  serviceBoard({ ...http, statusLabel: 'status_code', routeLabel: 'route', methodLabel: 'method' }),
  serviceBoard(http),
  serviceBoard({ ...http, native: true, statusLabel: 'code' }),
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
