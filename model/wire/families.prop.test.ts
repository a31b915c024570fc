import fc from 'fast-check'
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import {
  type ClientMetric,
  CounterResetHint,
  encodeMetricFamilies,
  encodeMetricFamilyInSlices,
  labelsFromRecord,
  type MetricType,
  type NativeHistogram,
  WireFormatError,
} from '../index.ts'
import { decode, Family } from '../testing/families.ts'
import { metric } from '../testing/metric.ts'

const value = fc.double()
const count = fc.nat({ max: 2 ** 31 })
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const labels = fc
  .dictionary(fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }), text, { maxKeys: 5 })
  .map((record) => labelsFromRecord(record))
const timestampMs = fc.option(fc.integer({ min: -1e13, max: 1e13 }), { nil: undefined })
const createdMs = fc.option(fc.integer({ min: 0, max: 1e13 }), { nil: undefined })
const exemplar = fc.option(fc.record({ labels, value, timestampMs: createdMs }), { nil: undefined })
const native = fc
  .record({
    integer: fc.boolean(),
    schema: fc.integer({ min: -4, max: 8 }),
    zeroThreshold: fc.constantFrom(0, 1e-128, 0.5),
    zeroCount: count,
    sum: value,
    offset: fc.integer({ min: -500, max: 500 }),
    positive: fc.array(count, { maxLength: 20 }),
    negative: fc.array(count, { maxLength: 20 }),
  })
  .map(({ integer, offset, positive, negative, ...rest }): NativeHistogram => {
    const scale = integer ? 1 : 0.25
    const spans = (list: number[]) => (list.length === 0 ? [] : [{ offset, length: list.length }])
    return {
      ...rest,
      integer,
      counterResetHint: CounterResetHint.UNKNOWN,
      zeroCount: rest.zeroCount * scale,
      count: (integer ? 1 : 0.25) * (positive.length + 1),
      positiveSpans: spans(positive),
      positiveBuckets: Float64Array.from(positive, (n) => n * scale),
      negativeSpans: spans(negative),
      negativeBuckets: Float64Array.from(negative, (n) => n * scale),
      customBounds: new Float64Array(0),
    }
  })
const histogram = fc
  .record({
    count,
    sum: value,
    buckets: fc.array(fc.record({ upperBound: value, cumulativeCount: count, exemplar }), { maxLength: 5 }),
    native: fc.option(native, { nil: undefined }),
    exemplars: fc.array(fc.record({ labels, value, timestampMs: createdMs }), { maxLength: 2 }),
  })
  .map((drawn) => (drawn.native === undefined ? drawn : { ...drawn, count: drawn.native.count, sum: drawn.native.sum }))
const summary = fc.record({
  count,
  sum: value,
  quantiles: fc.array(fc.record({ quantile: value, value }), { maxLength: 4 }),
})
// Time 0 is what a missing time looks like on the wire.
const common = { labels, timestampMs: timestampMs.filter((ms) => ms !== 0) }
const metricOf = (type: MetricType): fc.Arbitrary<ClientMetric> => {
  if (type === 'summary') return fc.record({ ...common, createdMs, summary }).map(metric)
  if (type === 'histogram') return fc.record({ ...common, createdMs, histogram }).map(metric)
  if (type === 'counter') return fc.record({ ...common, createdMs, value, exemplar }).map(metric)
  return fc.record({ ...common, value }).map(metric)
}
const anyFamily = fc.constantFrom<MetricType>('counter', 'gauge', 'summary', 'unknown', 'histogram').chain((type) =>
  fc.record({
    name: text,
    help: text,
    unit: text,
    type: fc.constant(type),
    metrics: fc.array(metricOf(type), { maxLength: 4 }),
  }),
)

test('metric families in protobuf: whatever is written is read back, here and by another implementation', () => {
  fc.assert(
    fc.property(fc.array(anyFamily, { maxLength: 4 }), (families) => {
      const body = encodeMetricFamilies(families)
      expect(decode(body)).toEqual(families)
      const other = protobuf.Reader.create(body)
      for (const { name, metrics } of families) {
        const read = Family.toObject(Family.decodeDelimited(other), { defaults: true })
        expect([read['name'], read['metric'].length]).toEqual([name, metrics.length])
      }
    }),
    { numRuns: 200 },
  )
})

test('metric families in protobuf: a family in slices is the same message as in one go', () => {
  fc.assert(
    fc.property(anyFamily, fc.integer({ min: 1, max: 5 }), (whole, sliceLength) => {
      const slices = Array.from({ length: Math.ceil(whole.metrics.length / sliceLength) }, (_, i) =>
        whole.metrics.slice(i * sliceLength, (i + 1) * sliceLength),
      )
      const pieces = [...encodeMetricFamilyInSlices(whole, slices)]
      expect(Buffer.concat(pieces)).toEqual(Buffer.from(encodeMetricFamilies([whole])))
      expect(pieces.slice(0, slices.length).every(({ length }) => length === 0)).toBe(true)
    }),
  )
})

test('metric families in protobuf: mutated and cut pages are read as something or refused', () => {
  const edit = fc.tuple(fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(
      fc.array(anyFamily, { minLength: 1, maxLength: 3 }),
      fc.array(edit, { maxLength: 5 }),
      fc.nat(),
      (families, edits, cut) => {
        const body = encodeMetricFamilies(families)
        for (const [at, byte] of edits) body[at % body.length] = byte
        try {
          decode(body.subarray(0, body.length - (cut % body.length)))
        } catch (error) {
          expect(error).toBeInstanceOf(WireFormatError)
        }
      },
    ),
    { numRuns: 500 },
  )
})
