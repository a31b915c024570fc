import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PushedFamily } from './family.ts'
import { hasSameLines, openMetricsLines, writeOpenMetrics } from './page-openmetrics.ts'
import { writeMetrics } from './page-text.ts'

test('kept lines become the lines that are written from the metrics', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.constantFrom('x 5', ' 7\n', 'a 1\u2028', '\\ 2', '" 3\r'),
  )
  const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e6, 1e21, -0, 123456789012))
  const metric = fc.record({ labels: fc.array(text, { minLength: 1, maxLength: 3 }), value })
  const family = fc
    .record({
      name: fc.constantFrom('a_total', 'b', 'ü b'),
      type: fc.constantFrom('gauge' as const, 'counter' as const, 'untyped' as const),
      metrics: fc.array(metric, { maxLength: 5 }),
    })
    .map(
      ({ metrics, ...facts }): PushedFamily => ({
        ...facts,
        help: '',
        metrics: metrics.map(({ labels, value: one }) => ({
          labels: labels.flatMap((label, i) => [`l${i}`, label]),
          value: one,
        })),
      }),
    )
  fc.assert(
    fc.property(family, (one) => {
      fc.pre(hasSameLines(one.name, one.type))
      expect(openMetricsLines(writeMetrics(one))).toBe(writeOpenMetrics(one))
    }),
    { numRuns: 500 },
  )
})
