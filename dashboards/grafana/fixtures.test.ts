// Boards written by hand, one for each group of features that boards in the wild use; the browser draws the same ones.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readDashboard } from './dashboard.ts'
import { sampleFrames } from './data-frame.ts'
import { applyTransformations } from './transform.ts'

const FOLDER = new URL('./testdata/', import.meta.url)
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
const read = (name: string) => readDashboard(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')))
const panelsOf = (name: string) => read(name).sections.flatMap(({ panels }) => panels)

test.each(files)('%s: every panel has a renderer of its own', (name) => {
  const panels = panelsOf(name)
  expect(panels.length).toBeGreaterThan(0)
  expect(panels.filter(({ placeholder }) => placeholder !== undefined)).toEqual([])
})

test('every transformation is known and leaves a frame', () => {
  const frames = ['A', 'B'].flatMap((refId) =>
    sampleFrames(
      [
        { metric: { job: 'a', instance: 'x:1' }, value: [1, '3'] },
        { metric: { job: 'b', instance: 'y:1' }, value: [1, '4'] },
      ],
      { refId, expr: 'up', legend: '' },
    ),
  )
  const panels = panelsOf('transformations.json')
  expect(panels.length).toBeGreaterThan(20)
  for (const { title, transformations } of panels) {
    const { frames: out, unknown } = applyTransformations(frames, transformations)
    expect(unknown, title).toEqual([])
    expect(out.length, title).toBeGreaterThan(0)
  }
})

test('variables of all seven kinds, filters with their operators, zone and week', () => {
  const { variables, timezone, weekStart } = read('variables.json')
  expect(new Set(variables.map(({ type }) => type)).size).toBe(7)
  expect(variables.find(({ type }) => type === 'adhoc')?.filters).toEqual([
    { key: 'job', operator: '!=', values: ['nobody'] },
  ])
  expect({ timezone, weekStart }).toEqual({ timezone: 'Europe/Berlin', weekStart: 'sunday' })
  const newest = read('version-2-layout.json')
  expect(newest.variables.map(({ type, filters }) => [type, filters.length])).toEqual([
    ['query', 0],
    ['adhoc', 1],
  ])
})

test('old forms: rows become sections, folded where they were; graphs, single values and styles become today’s', () => {
  const { sections, graphTooltip } = read('version-14.json')
  expect(graphTooltip).toBe(1)
  expect(sections.flatMap(({ row }) => (row === undefined ? [] : [[row.title, row.collapsed]]))).toEqual([
    ['Shown', false],
    ['Folded', true],
  ])
  expect(panelsOf('version-14.json').map(({ type }) => type)).toEqual([
    'timeseries',
    'stat',
    'gauge',
    'table',
    'histogram',
    'text',
  ])
  expect(panelsOf('version-8.json')[0]?.fieldConfig.defaults.unit).toBe('bytes')
})
