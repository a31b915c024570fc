import { expect, test } from 'vitest'
import { readableOn, resolveColor } from './colors.ts'
import { autoNames, type DataFrame, sampleFrames, seriesFrames, tableFrame } from './data-frame.ts'
import { displayText, fieldSettings, mapValue, thresholdColor } from './field-settings.ts'
import { reduceValues } from './reducers.ts'
import { formatValue } from '../model/units.ts'

const frame = (labels: Record<string, string> = {}, values: number[] = [1, 2]): DataFrame =>
  seriesFrames(
    [{ metric: labels, values: values.map((value, i) => [i, String(value)] as const) }],
    { refId: 'A', legend: '{{a}}', expr: 'x' },
    { startMs: 0, endMs: (values.length - 1) * 1000, stepMs: 1000 },
  )[0]!

test('names: legend, automatic, the expression', () => {
  expect(
    autoNames(
      [
        { a: '1', job: 'x' },
        { a: '2', job: 'x' },
      ],
      'e',
    ),
  ).toEqual(['1', '2'])
  expect(autoNames([{ __name__: 'up', job: 'x' }], 'e')).toEqual(['up'])
  expect(autoNames([{}], 'sum(up)')).toEqual(['sum(up)'])
  expect(
    sampleFrames([{ metric: { a: 'x' }, value: [1, '+Inf'] }], { refId: 'A', legend: '', expr: 'e' })[0]!.fields[1],
  ).toMatchObject({ displayName: '{a="x"}', values: Float64Array.of(Number.POSITIVE_INFINITY) })
})

test('overrides by name, pattern, query and value change what they match, in their order', () => {
  const override = (id: string, options: unknown, unit: string) => ({
    matcher: { id, options },
    properties: [
      { id: 'unit', value: unit },
      { id: 'custom.lineWidth', value: 3 },
    ],
  })
  const settings = (overrides: ReturnType<typeof override>[]) =>
    fieldSettings(frame({ a: 'in' }).fields[1]!, frame({ a: 'in' }), {
      defaults: { unit: 's', custom: { fillOpacity: 5 } },
      overrides,
    })
  expect(settings([override('byName', 'in', 'bytes')])).toMatchObject({
    name: 'in',
    unit: 'bytes',
    custom: { fillOpacity: 5, lineWidth: 3 },
  })
  expect(settings([override('byRegexp', '/^i/', 'bps'), override('byFrameRefID', 'A', 'ms')]).unit).toBe('ms')
  expect(
    settings([
      override('byName', 'out', 'x'),
      override('byRegexp', '/[/', 'x'),
      override('byValue', { reducer: 'max', op: 'gt', value: 5 }, 'x'),
    ]).unit,
  ).toBe('s')
})

test('mappings: value, range, pattern, special', () => {
  const mappings = [
    { type: 'value', options: { '1': { text: 'up', color: 'green' } } },
    { type: 'range', options: { from: 2, to: 5, result: { text: 'many' } } },
    { type: 'regex', options: { pattern: '^v(\\d+)$', result: { text: 'version $1' } } },
    { type: 'special', options: { match: 'null+nan', result: { text: 'none' } } },
  ]
  expect([1, 3, 'v7', Number.NaN, null, 9].map((value) => mapValue(value, mappings)?.text)).toEqual([
    'up',
    'many',
    'version 7',
    'none',
    'none',
    undefined,
  ])
})

test('thresholds, absolute and in percent of the range', () => {
  const settings = (mode: string) =>
    fieldSettings(frame().fields[1]!, frame(), {
      defaults: {
        thresholds: {
          mode,
          steps: [
            { value: null, color: 'green' },
            { value: 80, color: 'red' },
          ],
        },
      },
      overrides: [],
    })
  expect([79, 80].map((value) => thresholdColor(value, settings('absolute'), { min: 0, max: 100 }))).toEqual([
    'green',
    'red',
  ])
  expect(thresholdColor(8, settings('percentage'), { min: 0, max: 10 })).toBe('red')
})

test('hostile settings neither throw nor reach a prototype', () => {
  const settings = fieldSettings(frame().fields[1]!, frame(), {
    defaults: {},
    overrides: [
      {
        matcher: { id: 'byType', options: 'number' },
        properties: [
          { id: '__proto__.polluted', value: 1 },
          { id: 'custom.__proto__.polluted', value: 1 },
        ],
      },
    ],
  })
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
  expect(displayText(1, 'number', settings)).toBe('1')
  expect(resolveColor('url(javascript:1)', 'dark')).toBe('#9aa4b2')
})

test('reducers', () => {
  const values = [Number.NaN, 1, 5, 2, Number.NaN]
  expect(
    ['lastNotNull', 'first', 'min', 'max', 'mean', 'sum', 'count', 'range', 'diff', 'delta', 'changeCount', 'p50'].map(
      (id) => reduceValues(values, id),
    ),
  ).toEqual([2, Number.NaN, 1, 5, 8 / 3, 8, 3, 4, 1, 6, 2, 2])
})

test('a table has a column per label', () => {
  const table = tableFrame([{ metric: { b: 'x', a: 'y' }, values: [[1, '2']] }], 'A', 'Value #A')
  expect(table.fields.map(({ name, values }) => [name, ...Array.from(values)])).toEqual([
    ['Time', 1000],
    ['a', 'y'],
    ['b', 'x'],
    ['Value #A', 2],
  ])
})

test.each<[number, string, number | undefined, string]>([
  [1234.5678, 'locale', undefined, '1,234.568'],
  [5, 'decmbytes', undefined, '5 MB'],
  [0.5, 'percentunit', 2, '50.00%'],
  [1, 'bool_on_off', undefined, 'On'],
  [1500, 'suffix:items', undefined, '1500 items'],
  [3, 'prefix:#', undefined, '#3'],
  [12_000, 'si:W', undefined, '12 kW'],
  [90_000, 's', 1, '1.0 days'],
  [1536, 'count:jobs', undefined, '1.54K jobs'],
  [21.5, 'celsius', undefined, '21.5 °C'],
  [3, 'connections', undefined, '3 connections'],
  [1_000_000, 'currencyUSD', undefined, '$1M'],
])('%d in %s with %s places reads %s', (value, unit, decimals, want) =>
  expect(formatValue(value, unit, decimals)).toBe(want),
)

test('text on a colour can be read', () =>
  expect([readableOn('#ffffff'), readableOn('#102030')]).toEqual(['#10141a', '#ffffff']))
