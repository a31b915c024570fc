import { expect, test } from 'vitest'
import { readDashboard } from './dashboard.ts'
import { placeSections } from './layout.ts'

const values = (...all: string[]) => ({ values: all, texts: all, isList: true })
const places = (board: object, scope = {}) =>
  placeSections(readDashboard({ title: 't', ...board }).sections, new Map(Object.entries(scope))).map(
    ({ key, panels }) => [
      key,
      panels.map((one) => [one.key, one.place.x, one.place.y, one.place.w, one.scope.get('v')?.values[0]]),
    ],
  )

test('a panel repeats along the line, and what is below makes room', () => {
  const board = {
    panels: [
      { id: 1, type: 'stat', repeat: 'v', maxPerRow: 2, gridPos: { x: 0, y: 0, w: 24, h: 4 } },
      { id: 2, type: 'stat', gridPos: { x: 0, y: 4, w: 24, h: 4 } },
    ],
  }
  expect(places(board, { v: values('a', 'b/c', 'd') })).toEqual([
    [
      'top',
      [
        ['1', 0, 0, 12, 'a'],
        ['1-b_c', 12, 0, 12, 'b/c'],
        ['1-d', 0, 4, 12, 'd'],
        ['2', 0, 8, 24, undefined],
      ],
    ],
  ])
})

test('a row repeats with all its panels, each with its value', () => {
  const board = {
    panels: [
      { id: 9, type: 'row', repeat: 'v', gridPos: { y: 0 } },
      { id: 1, type: 'stat', gridPos: { x: 0, y: 5, w: 6, h: 4 } },
    ],
  }
  expect(places(board, { v: values('a', 'b') })).toEqual([
    ['9', [['1', 0, 0, 6, 'a']]],
    ['9-b', [['1-b', 0, 0, 6, 'b']]],
  ])
})

test('panels fall upwards', () => {
  const board = {
    panels: [
      { id: 1, type: 'stat', gridPos: { x: 0, y: 0, w: 12, h: 3 } },
      { id: 2, type: 'stat', gridPos: { x: 0, y: 20, w: 12, h: 3 } },
      { id: 3, type: 'stat', gridPos: { x: 12, y: 30, w: 12, h: 3 } },
    ],
  }
  expect(places(board)[0]![1]).toEqual([
    ['1', 0, 0, 12, undefined],
    ['2', 0, 3, 12, undefined],
    ['3', 12, 0, 12, undefined],
  ])
})
