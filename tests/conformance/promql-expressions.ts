// Random expressions that mean the same to Prometheus 2.42 and to 3.x.
import fc from 'fast-check'

const selector = fc.constantFrom(
  'up',
  'load',
  'temperature',
  'requests_total',
  'requests_total{code="200"}',
  'requests_total{code=~"4..|5.."}',
  'temperature{room!="r1"}',
  'load{job="api"}',
  'requests_total{instance!~"a.*"}',
  'odd',
  'ending',
  'jittered',
  'nothing_here',
)
/** Native histograms, by what 2.42 can do with them. */
const { histograms } = fc.letrec<{ histograms: string }>((tie) => ({
  histograms: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom('sizes', 'sizes{instance="b:2"}', 'sizes offset 2m', 'sizes{job="api"}'),
    fc
      .tuple(fc.constantFrom('rate', 'increase'), fc.constantFrom('2m', '5m', '12m'))
      .map(([name, range]) => `${name}(sizes[${range}])`),
    fc.tuple(fc.constantFrom('', ' by (job)', ' without (job)'), tie('histograms')).map(([g, h]) => `sum${g} (${h})`),
    fc.tuple(tie('histograms'), tie('histograms')).map(([l, r]) => `(${l} + on (instance, job) ${r})`),
    fc.tuple(tie('histograms'), tie('histograms')).map(([l, r]) => `(${l} or ${r})`),
  ),
}))
const duration = fc.constantFrom('1m', '2m', '5m', '90s', '12m')
const modifier = fc.constantFrom(
  '',
  '',
  '',
  ' offset 3m',
  ' offset -1m',
  ' @ 1700008900.25',
  ' @ end()',
  ' @ start() offset 30s',
)
const rangeFunction = fc.constantFrom(
  'irate',
  'delta',
  'idelta',
  'deriv',
  'resets',
  'changes',
  ...['sum', 'avg', 'min', 'max', 'count', 'last', 'stddev', 'stdvar', 'present'].map((name) => `${name}_over_time`),
)
// Of scrapes without gaps: how far a late start is extrapolated toward zero has changed since 2.42.
const counterFunction = fc.constantFrom('rate', 'increase')
const gapless = selector.filter((text) => !text.startsWith('load'))
const grouping = fc.constantFrom(
  '',
  ' by (job)',
  ' by (instance)',
  ' without (code)',
  ' by (job, code)',
  ' without (instance, room)',
)
const mathFunction = fc.constantFrom(
  'abs',
  'ceil',
  'floor',
  'sqrt',
  'exp',
  'ln',
  'sgn',
  'round',
  'sin',
  'timestamp',
  'hour',
  'day_of_week',
  'year',
)
const comparison = fc.constantFrom('==', '!=', '>', '<', '>=', '<=')
// Not atan2: 2.42 forgets to drop the name there.
const arithmetic = fc.constantFrom('+', '-', '*', '/', '%', '^')
const number = fc.constantFrom('0', '1', '-2', '0.5', '3', '20', '1e3', 'NaN', 'Inf')
const phi = fc.constantFrom('0', '0.25', '0.5', '0.9', '1', '-1', '2')

const { vectors } = fc.letrec<{ vectors: string }>((tie) => ({
  vectors: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(selector, modifier).map(([s, m]) => s + m),
    fc.tuple(rangeFunction, selector, duration, modifier).map(([f, s, d, m]) => `${f}(${s}[${d}]${m})`),
    fc.tuple(counterFunction, gapless, duration, modifier).map(([f, s, d, m]) => `${f}(${s}[${d}]${m})`),
    fc.tuple(phi, selector, duration).map(([q, s, d]) => `quantile_over_time(${q}, ${s}[${d}])`),
    fc.tuple(selector, duration).map(([s, d]) => `predict_linear(${s}[${d}], 600)`),
    fc
      .tuple(phi, duration, grouping)
      .map(
        ([q, d, g]) =>
          `histogram_quantile(${q}, sum${g.startsWith(' by') ? g.replace(')', ', le)') : ' by (le)'} (rate(latency_bucket[${d}])))`,
      ),
    fc
      .tuple(
        fc.constantFrom('sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'),
        grouping,
        tie('vectors'),
      )
      .map(([op, g, v]) => `${op}${g} (${v})`),
    fc.tuple(phi, grouping, tie('vectors')).map(([q, g, v]) => `quantile${g} (${q}, ${v})`),
    fc
      .tuple(fc.constantFrom('topk', 'bottomk'), grouping, tie('vectors'))
      .map(([op, g, v]) => `count(${op}${g} (2, ${v}))`),
    fc.tuple(mathFunction, tie('vectors')).map(([f, v]) => `${f}(${v})`),
    fc.tuple(tie('vectors')).map(([v]) => `clamp(${v}, -3, 30)`),
    fc.tuple(tie('vectors'), arithmetic, number).map(([v, op, n]) => `(${v} ${op} ${n})`),
    fc.tuple(number, arithmetic, tie('vectors')).map(([n, op, v]) => `(${n} ${op} ${v})`),
    fc.tuple(tie('vectors'), comparison, number).map(([v, op, n]) => `(${v} ${op} ${n})`),
    fc.tuple(tie('vectors'), comparison, number).map(([v, op, n]) => `(${v} ${op} bool ${n})`),
    fc.tuple(tie('vectors'), arithmetic, tie('vectors')).map(([l, op, r]) => `(${l} ${op} ignoring (code, room) ${r})`),
    fc.tuple(tie('vectors'), comparison, tie('vectors')).map(([l, op, r]) => `(${l} ${op} on (instance) ${r})`),
    fc
      .tuple(arithmetic, tie('vectors'))
      .map(([op, r]) => `(requests_total ${op} on (instance) group_left (room) ${r})`),
    fc
      .tuple(tie('vectors'), fc.constantFrom('and', 'or', 'unless'), tie('vectors'))
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    fc
      .tuple(tie('vectors'), fc.constantFrom('and', 'unless'))
      .map(([l, op]) => `(${l} ${op} on (job) up{instance="c:3"})`),
    fc
      .tuple(fc.constantFrom('max', 'avg', 'sum', 'count', 'last'), tie('vectors'))
      .map(([f, v]) => `${f}_over_time((${v})[290s:1m])`),
    fc.tuple(tie('vectors')).map(([v]) => `absent(${v})`),
    fc.tuple(tie('vectors')).map(([v]) => `label_replace(${v}, "where", "$1-x", "instance", "(.).*")`),
    fc.tuple(tie('vectors')).map(([v]) => `label_join(${v}, "both", "/", "job", "instance")`),
    fc.tuple(tie('vectors')).map(([v]) => `-(${v})`),
    fc
      .tuple(fc.constantFrom('histogram_count', 'histogram_sum', 'count', 'group'), histograms)
      .map(([name, h]) => `${name}(${h})`),
    fc
      .tuple(fc.constantFrom('-Inf, 0', '0, Inf', '-4, 4', '-Inf, Inf', '1, 0'), histograms)
      .map(([bounds, h]) => `histogram_fraction(${bounds}, ${h})`),
    fc.tuple(tie('vectors')).map(([v]) => `vector(scalar(${v}))`),
  ),
}))

/** An expression to be asked; 2.42 takes a histogram in other places for a zero, so those stay for themselves. */
export const expressions = fc.oneof({ weight: 9, arbitrary: vectors }, { weight: 1, arbitrary: histograms })
