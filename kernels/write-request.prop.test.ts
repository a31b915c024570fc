import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HASH_KEY_BYTES, scanTwin, WriteRequestKernels } from './index.ts'

const KEYS = Uint8Array.from({ length: HASH_KEY_BYTES }, (_, i) => (i * 89 + (i >> 3) * 57) & 0xff)
const kernels = new WriteRequestKernels(KEYS)

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 0x80, ...varint(Math.floor(value / 128))]
const field = (tag: number, content: readonly number[]): number[] => [tag, ...varint(content.length), ...content]
/** A block of snappy that is one literal. */
function literal(bytes: Uint8Array): Uint8Array {
  const count = bytes.length - 1
  const head = bytes.length === 0 ? [] : [62 << 2, count & 0xff, (count >> 8) & 0xff, count >> 16]
  return Uint8Array.from([...varint(bytes.length), ...head, ...bytes])
}

function check(bytes: Uint8Array): number {
  const message = kernels.unpack([literal(bytes)])!
  expect(message).toEqual(bytes)
  const want = scanTwin(bytes, KEYS)
  const count = kernels.scan(0, message.length)
  expect(count).toBe(want.rows.length)
  expect(Array.from({ length: count }, (_, i) => [...kernels.rows.subarray(i * 8, i * 8 + 7)])).toEqual(want.rows)
  expect([...kernels.timestampsMs.subarray(0, count)]).toEqual(want.timestampsMs)
  return count
}

const bytesOf = (maxLength: number) => fc.array(fc.nat(255), { maxLength })
const sample = fc.record({
  value: fc.option(fc.array(fc.nat(255), { minLength: 8, maxLength: 8 })),
  time: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 2 ** 43 }) }, fc.maxSafeNat()),
})
const series = fc
  .record({
    labels: fc.array(bytesOf(200), { maxLength: 8 }),
    samples: fc.array(sample, { minLength: 1, maxLength: 2, size: '-1' }),
  })
  .map(({ labels, samples }) =>
    field(10, [
      ...labels.flatMap((label) => field(10, label)),
      ...samples.flatMap(({ value, time }) =>
        field(18, [...(value === null ? [] : [9, ...value]), 16, ...varint(time)]),
      ),
    ]),
  )
const messageOf = (parts: readonly number[][]): Uint8Array => Uint8Array.from(parts.flat())
const message = fc.array(series, { maxLength: 6 }).map(messageOf)

test('finds the same series, and gives them the same hash', () => {
  let found = 0
  const several = fc.array(series, { minLength: 1, maxLength: 6, size: 'max' }).map(messageOf)
  fc.assert(
    fc.property(several, (bytes) => void (found += check(bytes))),
    { numRuns: 300 },
  )
  expect(found).toBeGreaterThan(50)
})

test('damaged bytes lead to the same place', () => {
  const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(message, damage, fc.nat(), (bytes, changes, cut) => {
      for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      check(bytes.subarray(0, bytes.length - (cut % 4)))
    }),
  )
})

test('more series than one call takes come with the next', () => {
  const one = field(10, [...field(10, [1, 2, 3]), ...field(18, [16, 5])])
  const bytes = Uint8Array.from(Array.from({ length: 3000 }, () => one).flat())
  kernels.unpack([literal(bytes)])
  const count = kernels.scan(0, bytes.length)
  const from = kernels.rows[(count - 1) * 8 + 5]!
  expect(count + kernels.scan(from, bytes.length)).toBe(3000)
})

test('labels that differ in one bit, in length or in their order have other hashes', () => {
  const texts = ['a', 'b', 'ab', 'ba', '\0', '\0\0', 'a'.repeat(31), 'a'.repeat(32), 'a'.repeat(33), 'a'.repeat(2000)]
  const bytes = texts.flatMap((text) => field(10, [...field(10, [...Buffer.from(text)]), ...field(18, [16, 1])]))
  expect(check(Uint8Array.from(bytes))).toBe(texts.length)
  const hashes = texts.map((_, i) => kernels.rows.subarray(i * 8, i * 8 + 3).join())
  expect(new Set(hashes).size).toBe(texts.length)
})
