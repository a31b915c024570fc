import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberFormatter, POINT_BYTES_MAX, pointsTextTwin, SAMPLE_BYTES_MAX, sampleTextTwin } from './index.ts'

const formatter = new NumberFormatter()
const scratch = new Uint8Array(SAMPLE_BYTES_MAX)
const decoder = new TextDecoder()

function kernelText(value: number): string {
  return decoder.decode(scratch.subarray(0, formatter.writeSample(value, scratch, 0)))
}

const bits = new DataView(new ArrayBuffer(8))
function fromBits(high: number, low: number): number {
  bits.setUint32(0, high)
  bits.setUint32(4, low)
  return bits.getFloat64(0)
}

test.each<[value: number, text: string]>([
  [0, '0'],
  [-0, '-0'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [1e-6, '0.000001'],
  [9.999999999999997e-7, '9.999999999999997e-07'],
  [1e-7, '1e-07'],
  [1e21, '1e+21'],
  [999999999999999900000, '999999999999999900000'],
  [-1.5e300, '-1.5e+300'],
  [5e-324, '5e-324'],
  [2.2250738585072014e-308, '2.2250738585072014e-308'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [2 ** 53, '9007199254740992'],
  [2 ** 64, '18446744073709552000'],
  [0.1 + 0.2, '0.30000000000000004'],
  [123456.789, '123456.789'],
])('%s is written as %s', (value, text) => {
  expect(kernelText(value)).toBe(text)
  expect(sampleTextTwin(value)).toBe(text)
})

test('kernel and twin agree, and the text reads back, on 200,000 doubles of any bits', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffffffff }), (seed) => {
      let state = seed
      const next = (): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return (state ^ (state >>> 15)) >>> 0
      }
      for (let i = 0; i < 2000; i++) {
        const value = fromBits(next(), next())
        const text = kernelText(value)
        if (text !== sampleTextTwin(value)) expect(text).toBe(sampleTextTwin(value))
        if (Number.isFinite(value) && Number(text) !== value) expect(Number(text)).toBe(value)
      }
    }),
    { numRuns: 100 },
  )
})

test('around powers of two and ten, and the smallest and largest numbers', () => {
  const around = (value: number): void => {
    bits.setFloat64(0, value)
    const centre = bits.getBigUint64(0)
    for (let step = -3n; step <= 3n; step++) {
      bits.setBigUint64(0, BigInt.asUintN(64, centre + step))
      const neighbour = bits.getFloat64(0)
      expect(kernelText(neighbour)).toBe(sampleTextTwin(neighbour))
    }
  }
  for (let exponent = -1074; exponent < 1024; exponent++) around(2 ** exponent)
  for (let exponent = -323; exponent < 309; exponent++) around(Number(`1e${exponent}`))
  for (let exponent = -20; exponent < 20; exponent++) around(Number(`-123456789e${exponent}`))
})

test('numbers as metrics have them', () => {
  const decimal = fc
    .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.nat({ max: 12 }))
    .map(([digits, places]) => digits / 10 ** places)
  const whole = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(fc.oneof(decimal, whole, fc.double()), (value) => {
      expect(kernelText(value)).toBe(sampleTextTwin(value))
    }),
    { numRuns: 20_000 },
  )
})

test('rates and ratios, of any length before and behind the point', () => {
  const whole = fc.integer({ min: 1, max: 2 ** 50 })
  const scale = fc.integer({ min: -22, max: 6 })
  fc.assert(
    fc.property(whole, whole, scale, (a, b, exponent) => {
      const value = (a / b) * 10 ** exponent
      for (const near of [value, value + value * 2 ** -52, a / 2 ** 40, Math.round(value * 1e9) / 1e9, a + 0.5]) {
        const text = kernelText(near)
        if (text !== sampleTextTwin(near)) expect(text).toBe(sampleTextTwin(near))
      }
    }),
    { numRuns: 50_000 },
  )
})

test('points are written in place into a room, and nothing in front of them is touched', () => {
  const own = new NumberFormatter(1 << 18)
  const rooms = [own.allocateRoom(1 << 16)!, own.allocateRoom(1 << 17)!]
  expect(own.allocateRoom(1 << 17)).toBeUndefined()
  const columns = fc.array(fc.double(), { minLength: 1, maxLength: 500 })
  fc.assert(
    fc.property(
      columns,
      fc.nat({ max: 3 }),
      fc.constantFrom(...rooms),
      fc.nat({ max: 9 }),
      (numbers, skip, room, at) => {
        const values = Float64Array.from(numbers)
        const timestampsMs = values.map((_, i) => i * 500)
        const from = Math.min(skip, values.length - 1)
        const text = pointsTextTwin(timestampsMs, values, from, values.length)
        for (let again = 0; again < 3; again++) {
          room.fill(0x23)
          const end = own.writePoints(timestampsMs, values, { from, to: values.length }, room, at)
          expect(decoder.decode(room.slice(0, end))).toBe('#'.repeat(at) + text)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('points: blocks, commas, seconds with and without milliseconds', () => {
  const timestampMs = fc.integer({ min: -(10 ** 13), max: 10 ** 15 })
  const points = fc.array(fc.tuple(timestampMs, fc.double()), { maxLength: 40 })
  fc.assert(
    fc.property(points, fc.constantFrom(1, 250), fc.nat({ max: 5 }), (some, times, skip) => {
      const repeated = Array.from({ length: times }, () => some).flat()
      const timestampsMs = Float64Array.from(repeated, ([t]) => t)
      const values = Float64Array.from(repeated, ([, v]) => v)
      const from = Math.min(skip, values.length)
      const out = new Uint8Array(values.length * POINT_BYTES_MAX + 3)
      const text = pointsTextTwin(timestampsMs, values, from, values.length)
      // From the second time on, the times are not written anew.
      for (let again = 0; again < 3; again++) {
        const end = formatter.writePoints(timestampsMs, values, { from, to: values.length }, out, 3)
        expect(decoder.decode(out.subarray(3, end))).toBe(text)
      }
    }),
    { numRuns: 300 },
  )
})
