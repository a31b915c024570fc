import { describe, expect, test } from 'vitest'
import { ALL_FEATURES, astJson, parseExpr, prettyExpr, printExpr } from '../index.ts'

const parse = (text: string) => parseExpr(text, ALL_FEATURES)

describe('on one line', () => {
  test.each([
    ['sum(rate(x[5m]))by(job)', 'sum by (job) (rate(x[5m]))'],
    ['sum without() (x)', 'sum without () (x)'],
    ['sum by () (x)', 'sum(x)'],
    ['sum by ("a.b", c) (x)', 'sum by ("a.b", c) (x)'],
    ['x{b=\'1\',a=~"2"}', 'x{a=~"2",b="1"}'],
    ['{__name__="x",a!~"\\n\\u00e9\\x01"}', '{__name__="x",a!~"\\né\\x01"}'],
    ['{"a b"}', '{__name__="a b"}'],
    ['x{"a b"="c"}', 'x{"a b"="c"}'],
    ['x offset 90m @ 1.5', 'x @ 1.500 offset 1h30m'],
    ['x[90s] offset -1w anchored', 'x[1m30s] anchored offset -1w'],
    ['x smoothed @ end()', 'x @ end() smoothed'],
    ['x[1h:] @ start()', 'x[1h:] @ start()'],
    ['x[step()*2] offset (1m+(5))', 'x[step() * 2] offset (1m + (5))'],
    ['x[5m+range()] offset -(max_of(1m,step()))', 'x[5m + range()] offset -(max_of(1m, step()))'],
    ['a+on()group_left b', 'a + on () group_left () b'],
    ['a==bool ignoring(x)b', 'a == bool ignoring (x) b'],
    ['a + fill(1e6) b', 'a + fill (1e+06) b'],
    ['a + fill_right(2) fill_left(-1) b', 'a + fill_left (-1) fill_right (2) b'],
    ['a OR b', 'a or b'],
    ['-a^-2', '-a ^ -2'],
    ['(1e21)', '(1000000000000000000000)'],
    ['90m', '1h30m'],
    ['"a\\"\\t"', '"a\\"\\t"'],
    ['topk(3,x)', 'topk(3, x)'],
  ])('%s', (text, want) => {
    expect(printExpr(parse(text))).toBe(want)
  })
})

test('laid out: what is longer than 100 columns is split, and no more', () => {
  const selector = 'container_cpu_usage_seconds_total{container!="",image!="",job="kubelet",namespace="shop",pod=~".+"}'
  const text = `sum by (pod) (rate(${selector}[5m])) / on (pod) group_left topk by (pod) (5, max_over_time((${selector} + 1)[1h:1m])) > -(-(x))`
  expect(prettyExpr(parse(text)).split('\n')).toEqual([
    '    sum by (pod) (',
    '      rate(',
    `        ${selector}[5m]`,
    '      )',
    '    )',
    '  / on (pod) group_left ()',
    '    topk by (pod) (',
    '      5,',
    '      max_over_time(',
    '        (',
    `            ${selector}`,
    '          +',
    '            1',
    '        )[1h:1m]',
    '      )',
    '    )',
    '>',
    '  -(-(x))',
  ])
  expect(prettyExpr(parse('sum(x) by (a)'))).toBe('sum by (a) (x)')
})

describe('as JSON of the API', () => {
  const selector = {
    anchored: false,
    matchers: [{ name: '__name__', type: '=', value: 'x' }],
    name: 'x',
    offset: 0,
    offsetExpr: null,
    smoothed: false,
    startOrEnd: null,
    timestamp: null,
    type: 'vectorSelector',
  }

  test.each<[text: string, want: unknown]>([
    ['x', selector],
    ['-x', { expr: selector, op: '-', type: 'unaryExpr' }],
    ['(1)', { expr: { type: 'numberLiteral', val: '1' }, type: 'parenExpr' }],
    ['"s"', { type: 'stringLiteral', val: 's' }],
    [
      'x[5m] offset 1m @ 2',
      { ...selector, range: 300_000, rangeExpr: null, offset: 60_000, timestamp: 2000, type: 'matrixSelector' },
    ],
    [
      'x[1h:step()] @ end()',
      {
        expr: selector,
        offset: 0,
        offsetExpr: null,
        range: 3_600_000,
        rangeExpr: null,
        startOrEnd: 'end',
        step: 0,
        stepExpr: { lhs: null, op: 'step', rhs: null, type: 'durationExpr', wrapped: false },
        timestamp: null,
        type: 'subquery',
      },
    ],
    [
      'x offset (5)',
      {
        ...selector,
        offsetExpr: {
          lhs: null,
          op: '+',
          rhs: { duration: false, type: 'numberLiteral', val: '5' },
          type: 'durationExpr',
          wrapped: true,
        },
      },
    ],
    [
      'round(x)',
      {
        args: [selector],
        func: { argTypes: ['vector', 'scalar'], name: 'round', returnType: 'vector', variadic: 1 },
        type: 'call',
      },
    ],
    [
      'sum by (a) (x)',
      { expr: selector, grouping: ['a'], op: 'sum', param: null, type: 'aggregation', without: false },
    ],
    [
      'x / fill_left(2) x',
      {
        bool: false,
        lhs: selector,
        matching: { card: 'one-to-one', fillValues: { lhs: 2, rhs: null }, include: [], labels: [], on: false },
        op: '/',
        rhs: selector,
        type: 'binaryExpr',
      },
    ],
  ])('%s', (text, want) => {
    const json = astJson(parse(text))
    expect(json).toEqual(want)
    // Go writes the keys of maps in order.
    expect(Object.keys(json)).toEqual(Object.keys(json).sort())
  })
})
