import { expect, test } from 'vitest'
import { availableRows, type Board, bindBoard, matcherList, severityOf } from './board.ts'

const board: Board = {
  uid: 'x',
  title: 'X',
  rows: [
    {
      id: 'r',
      title: 'R',
      panels: [
        {
          id: 'a',
          kind: 'lines',
          title: 'A',
          unit: 'short',
          span: 3,
          needs: ['m'],
          queries: [{ expr: 'rate(m{$host}[$__rate_interval])' }],
        },
        {
          id: 'b',
          kind: 'stat',
          title: 'B',
          unit: 'short',
          span: 3,
          needs: ['n', 'o'],
          queries: [{ expr: 'n{$job}' }],
        },
      ],
    },
    {
      id: 's',
      title: 'S',
      panels: [{ id: 'c', kind: 'lines', title: 'C', unit: 's', span: 3, needs: ['q'], queries: [] }],
    },
  ],
}

test('bindBoard puts matchers in and escapes hostile values', () => {
  const bound = bindBoard(board, { host: matcherList({ instance: 'a"} or vector(1)#\\' }) })
  expect(bound.rows[0]!.panels[0]!.queries[0]!.expr).toBe(
    'rate(m{instance="a\\"} or vector(1)#\\\\"}[$__rate_interval])',
  )
  expect(bound.rows[0]!.panels[1]!.queries[0]!.expr).toBe('n{$job}')
})

test('panels and rows without metrics disappear', () => {
  const rows = availableRows(board, new Set(['o']))
  expect(rows.map((row) => [row.id, row.panels.map((panel) => panel.id)])).toEqual([['r', ['b']]])
})

test('severityOf', () => {
  expect([0.1, 0.8, 0.95].map((v) => severityOf(v, { warn: 0.8, crit: 0.9 }))).toEqual(['ok', 'warn', 'crit'])
  expect(severityOf(9, undefined)).toBe('ok')
})
