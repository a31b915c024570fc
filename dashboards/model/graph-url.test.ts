import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeGraphUrl, encodeGraphUrl, type QueryPanel } from './graph-url.ts'

const decode = (text: string) => decodeGraphUrl(new URLSearchParams(text))

test('a link of Prometheus 2: numeric tab, range, stacked flag', () => {
  expect(decode('g0.expr=up&g0.tab=0&g0.stacked=1&g0.range_input=30m&g0.step_input=15')).toEqual([
    { expr: 'up', tab: 'graph', rangeMs: 1_800_000, stacked: true, stepMs: 15_000 },
  ])
  expect(decode('g0.expr=up&g0.tab=1')[0]!.tab).toBe('table')
})

test('a link of Prometheus 3: named tab, end and resolution, two panels', () => {
  expect(
    decode(
      'g0.expr=rate(a%5B5m%5D)&g0.tab=graph&g0.end_input=2024-03-13%2014%3A35%3A42&g0.res_type=fixed&g0.res_step=30&g1.expr=b&g1.moment_input=2024-03-13+00:00:00',
    ),
  ).toEqual([
    {
      expr: 'rate(a[5m])',
      tab: 'graph',
      rangeMs: 3_600_000,
      stacked: false,
      endMs: Date.parse('2024-03-13T14:35:42Z'),
      stepMs: 30_000,
    },
    { expr: 'b', tab: 'table', rangeMs: 3_600_000, stacked: false, momentMs: Date.parse('2024-03-13T00:00:00Z') },
  ])
})

test('what is written is read back', () => {
  const secondMs = fc.integer({ min: 1, max: 2_000_000_000 }).map((s) => s * 1000)
  const panel = fc.record<QueryPanel>(
    {
      expr: fc.string(),
      tab: fc.constantFrom('table', 'graph'),
      rangeMs: fc.integer({ min: 1, max: 1_000_000 }).map((s) => s * 1000),
      stacked: fc.boolean(),
      explained: fc.constant(true),
      endMs: secondMs,
      momentMs: secondMs,
      stepMs: fc.integer({ min: 1, max: 100_000 }).map((s) => s * 1000),
    },
    { requiredKeys: ['expr', 'tab', 'rangeMs', 'stacked'] },
  )
  fc.assert(
    fc.property(fc.array(panel, { maxLength: 5 }), (panels) => {
      expect(decodeGraphUrl(new URLSearchParams(encodeGraphUrl(panels).toString()))).toEqual(panels)
    }),
  )
})
