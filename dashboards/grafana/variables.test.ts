import { expect, test } from 'vitest'
import { formatDate, interpolate, type Scope, valueOf } from './interpolate.ts'
import { readVariable } from './variable.ts'
import { chosenValues, dependencyOrder, optionsFrom, parseVariableQuery, statedOptions } from './variable-options.ts'

const scope: Scope = new Map([
  ['one', { values: ['a.b'], texts: ['A'], isList: false }],
  ['many', { values: ['x.1', 'y'], texts: ['X', 'Y'], isList: true }],
  ['single', { values: ['x.1'], texts: ['X'], isList: true }],
  ['all', { values: ['.*'], texts: ['All'], isList: true, isRaw: true }],
  ['__from', { values: ['1700000000000'], texts: [''], isList: false, isRaw: true }],
])

test.each([
  ['up{a="$one"}', 'up{a="a.b"}'],
  ['up{a=~"$many"}', 'up{a=~"(x\\\\.1|y)"}'],
  ['up{a=~"${single}"}', 'up{a=~"x\\\\.1"}'],
  ['up{a=~"[[all]]"}', 'up{a=~".*"}'],
  ['${many:pipe} ${many:csv} ${many:regex} ${many:json} ${many:text}', 'x.1|y x.1,y (x\\.1|y) ["x.1","y"] X + Y'],
  [
    '${many:doublequote} ${many:singlequote} ${many:glob} ${many:distributed}',
    '"x.1","y" \'x.1\',\'y\' {x.1,y} x.1,many=y',
  ],
  [
    '${many:queryparam} ${one:percentencode} ${many:lucene} ${many:what}',
    'var-many=x.1&var-many=y a.b ("x.1" OR "y") {x.1,y}',
  ],
  ['${__from:date} ${__from:date:seconds} ${__from:date:YYYY-MM-DD}', '2023-11-14T22:13:20.000Z 1700000000 2023-11-14'],
  ['$unknown ${unknown:csv} rate(x[$__rate_interval])', '$unknown ${unknown:csv} rate(x[$__rate_interval])'],
])('%s', (text, want) => expect(interpolate(text, scope, 'promql')).toBe(want))

test('All is the custom value as it is, or the list of all values', () => {
  const options = [
    { text: 'a', value: 'a' },
    { text: 'b', value: 'b' },
  ]
  const base = { name: 'v', type: 'query', includeAll: true }
  expect(valueOf(readVariable({ ...base, allValue: '.+' }), ['$__all'], options)).toMatchObject({
    values: ['.+'],
    isRaw: true,
  })
  expect(valueOf(readVariable(base), ['$__all'], options)).toMatchObject({ values: ['a', 'b'], texts: ['All'] })
})

test.each([
  ['label_values(up, job)', { kind: 'label_values', label: 'job', selector: 'up' }],
  ['label_values(job)', { kind: 'label_values', label: 'job', selector: '' }],
  [
    'label_values(up{a="x", b=~"y,z"}, instance)',
    { kind: 'label_values', label: 'instance', selector: 'up{a="x", b=~"y,z"}' },
  ],
  ['label_names()', { kind: 'label_names', selector: '' }],
  ['metrics(node_.*)', { kind: 'metrics', pattern: 'node_.*' }],
  ['query_result(topk(3, sum by (a) (up)))', { kind: 'query_result', expr: 'topk(3, sum by (a) (up))' }],
  ['up{job="x"}', { kind: 'series', selector: 'up{job="x"}' }],
])('the query %s', (text, want) => expect(parseVariableQuery(text)).toEqual(want))

test('patterns take a part, name it, and leave out what does not match', () => {
  const options = (regex: string, texts: string[], sort = 0) =>
    optionsFrom(texts, { regex, sort }).map(({ text, value }) => [text, value])
  expect(options('/instance="([^"]+)"/', ['up{instance="a:1"} 1 2', 'none'])).toEqual([['a:1', 'a:1']])
  expect(options('/(?<text>\\w+):(?<value>\\d+)/', ['a:1', 'b:2'])).toEqual([
    ['a', '1'],
    ['b', '2'],
  ])
  expect(options('/^(?!lo)/', ['lo', 'eth0'])).toEqual([['eth0', 'eth0']])
  expect(options('', ['b', 'a', 'b'], 1)).toEqual([
    ['a', 'a'],
    ['b', 'b'],
  ])
  expect(options('', ['n10', 'n9'], 3).map(([text]) => text)).toEqual(['n9', 'n10'])
  expect(options('', ['b', 'A', 'c'], 6).map(([text]) => text)).toEqual(['c', 'b', 'A'])
})

test('stated options: pairs, escaped commas', () => {
  expect(statedOptions({ type: 'custom', query: 'a : 1, b\\,c , d' })).toEqual([
    { text: 'a', value: '1' },
    { text: 'b,c', value: 'b,c' },
    { text: 'd', value: 'd' },
  ])
})

test('what is chosen: the address first, then what was stored and still exists, then the first', () => {
  const options = [
    { text: 'a', value: 'a' },
    { text: 'b', value: 'b' },
  ]
  const multi = readVariable({ name: 'v', multi: true, includeAll: true, current: { value: ['b', 'gone'] } })
  expect(chosenValues(multi, options, undefined)).toEqual(['b'])
  expect(chosenValues(multi, options, ['All'])).toEqual(['$__all'])
  expect(chosenValues(readVariable({ name: 'v' }), options, ['elsewhere'])).toEqual(['elsewhere'])
  expect(chosenValues(readVariable({ name: 'v', current: { value: 'gone' } }), options, undefined)).toEqual(['a'])
})

test('variables are found out after those they refer to; a circle is named', () => {
  const make = (name: string, query: string) => readVariable({ name, query })
  const { order, circular } = dependencyOrder([
    make('c', 'label_values(up{b="$b"}, c)'),
    make('b', 'label_values(up{a=~"$a"}, b)'),
    make('a', 'label_values(a)'),
    make('x', '$y'),
    make('y', '$x'),
  ])
  expect(order.map(({ name }) => name).slice(0, 3)).toEqual(['a', 'b', 'c'])
  expect(circular).toEqual(['x', 'y'])
})

test('dates by pattern', () => {
  expect(formatDate(1_700_000_000_000, 'dddd D MMM YYYY, HH:mm:ss.SSS [UTC]Z')).toBe(
    'Tuesday 14 Nov 2023, 22:13:20.000 UTC+00:00',
  )
})
