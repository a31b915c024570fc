import { expect, test } from 'vitest'
import { type DataFrame, type Field, tableFrame } from './data-frame.ts'
import { applyTransformations } from './transform.ts'

const text = (name: string, values: string[]): Field => ({ name, type: 'string', labels: {}, values })
const num = (name: string, values: number[], labels: Record<string, string> = {}): Field => ({
  name,
  type: 'number',
  labels,
  values,
})
const time = (values: number[]): Field => ({ name: 'Time', type: 'time', labels: {}, values })
const frame = (refId: string, ...fields: Field[]): DataFrame => ({
  refId,
  name: refId,
  fields,
  length: fields[0]!.values.length,
})
const run = (frames: DataFrame[], id: string, options = {}) =>
  applyTransformations(frames, [{ id, options, disabled: false, refId: undefined }]).frames.map(({ fields }) =>
    fields.map((field) => [field.displayName ?? field.name, ...Array.from(field.values)]),
  )

const a = tableFrame(
  [
    { metric: { pod: 'x' }, values: [[1, '1']] },
    { metric: { pod: 'y' }, values: [[1, '2']] },
  ],
  'A',
  'Value #A',
)
const b = tableFrame([{ metric: { pod: 'y' }, values: [[1, '20']] }], 'B', 'Value #B')

test('merge joins rows on the columns that are shared', () => {
  expect(run([a, b], 'merge')).toEqual([
    [
      ['Time', 1000, 1000],
      ['pod', 'x', 'y'],
      ['Value #A', 1, 2],
      ['Value #B', null, 20],
    ],
  ])
})

test('organize leaves out, orders and renames', () => {
  expect(
    run([a], 'organize', {
      excludeByName: { Time: true },
      indexByName: { 'Value #A': 0, pod: 1 },
      renameByName: { pod: 'Pod' },
    }),
  ).toEqual([
    [
      ['Value #A', 1, 2],
      ['Pod', 'x', 'y'],
    ],
  ])
})

test('joinByField puts series side by side on their times', () => {
  const one = frame('A', time([1, 2]), num('Value', [10, 20], { i: 'a' }))
  const two = frame('B', time([2, 3]), num('Value', [5, 6], { i: 'b' }))
  expect(run([one, two], 'joinByField', { byField: 'Time' })).toEqual([
    [
      ['Time', 1, 2, 3],
      ['{i="a"}', 10, 20, Number.NaN],
      ['{i="b"}', Number.NaN, 5, 6],
    ],
  ])
  expect(run([one, two], 'seriesToColumns', { byField: 'Time', mode: 'inner' })[0]![0]).toEqual(['Time', 2])
})

test('groupBy, reduce, sortBy, limit', () => {
  const table = frame('A', text('ns', ['p', 'q', 'p']), num('v', [1, 2, 3]))
  expect(
    run([table], 'groupBy', {
      fields: { ns: { operation: 'groupby' }, v: { operation: 'aggregate', aggregations: ['sum', 'max'] } },
    }),
  ).toEqual([
    [
      ['ns', 'p', 'q'],
      ['v (sum)', 4, 2],
      ['v (max)', 3, 2],
    ],
  ])
  expect(run([table], 'reduce', { reducers: ['max', 'mean'] })).toEqual([
    [
      ['Field', 'v'],
      ['Max', 3],
      ['Mean', 2],
    ],
  ])
  expect(run([table], 'sortBy', { sort: [{ field: 'v', desc: true }] })[0]![1]).toEqual(['v', 3, 2, 1])
  expect(run([table], 'limit', { limitField: 1 })[0]![1]).toEqual(['v', 1])
})

test('calculateField: row sums and two columns', () => {
  const table = frame('A', num('x', [1, 2]), num('y', [10, 20]))
  expect(
    run([table], 'calculateField', { mode: 'reduceRow', reduce: { reducer: 'sum' }, alias: 'all' })[0]![2],
  ).toEqual(['all', 11, 22])
  expect(
    run([table], 'calculateField', {
      mode: 'binary',
      binary: { left: 'y', operator: '/', right: 'x' },
      replaceFields: true,
    })[0],
  ).toEqual([['y / x', 10, 10]])
})

test('renameByRegex, filterFieldsByName, labelsToFields, filterByValue', () => {
  const series = frame('A', time([1]), num('Value', [7], { pod: 'x', ns: 'n' }))
  expect(
    run([frame('A', num('cpu-0', [1]))], 'renameByRegex', { regex: 'cpu-(\\d)', renamePattern: 'core $1' }),
  ).toEqual([[['core 0', 1]]])
  expect(run([a], 'filterFieldsByName', { include: { names: ['pod'] } })).toEqual([[['pod', 'x', 'y']]])
  expect(run([series], 'labelsToFields')).toEqual([
    [
      ['Time', 1],
      ['pod', 'x'],
      ['ns', 'n'],
      ['Value', 7],
    ],
  ])
  expect(
    run([a], 'filterByValue', {
      type: 'include',
      match: 'any',
      filters: [{ fieldName: 'Value #A', config: { id: 'greater', options: { value: 1 } } }],
    })[0]![1],
  ).toEqual(['pod', 'y'])
})

test('what is not known is named and left out', () => {
  expect(applyTransformations([a], [{ id: 'heatmap', options: {}, disabled: false, refId: undefined }])).toEqual({
    frames: [a],
    unknown: ['heatmap'],
  })
})
