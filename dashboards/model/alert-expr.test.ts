import { expect, test } from 'vitest'
import { splitLimit } from './alert-expr.ts'

test.each([
  ['up == 0', { expr: 'up', operator: '==', limit: 0 }],
  [
    'sum(rate(a[5m])) / sum(rate(b[5m])) > 1e-1',
    { expr: 'sum(rate(a[5m])) / sum(rate(b[5m]))', operator: '>', limit: 0.1 },
  ],
  ['a{x="> 3"} <= -2.5', { expr: 'a{x="> 3"}', operator: '<=', limit: -2.5 }],
  ['(a > 1) + b > 2 # often', { expr: '(a > 1) + b', operator: '>', limit: 2 }],
  ['or_total > 3', { expr: 'or_total', operator: '>', limit: 3 }],
  ['a{x!="b",y=~"c"} > 0', { expr: 'a{x!="b",y=~"c"}', operator: '>', limit: 0 }],
  ['a > b', undefined],
  ['a > 1 and b > 2', undefined],
  ['a > bool 1', undefined],
  ['1 < a < 3', undefined],
  ['absent(up{job="a"})', undefined],
  ['vector(1)', undefined],
])('%s', (expr, want) => expect(splitLimit(expr)).toEqual(want))
