import fc from 'fast-check'
import * as snappyjs from 'snappyjs'
import { describe, expect, test } from 'vitest'
import { decodeSnappy, encodeSnappy, WireFormatError } from '../index.ts'

const BYTES_MAX = 1 << 20

/** Bytes that repeat themselves near and far, as metric data does. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.integer({ min: 1, max: 60 })), { maxLength: 40 })
  .map((parts) => Buffer.concat(parts.flatMap(([part, times]) => Array.from({ length: times }, () => part))))
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 4000 }), repetitive)

describe('snappy', () => {
  test('what is packed here is unpacked here and by another implementation', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const packed = encodeSnappy(bytes)
        expect(Buffer.compare(decodeSnappy(packed, BYTES_MAX), bytes)).toBe(0)
        expect(Buffer.compare(snappyjs.uncompress(packed), bytes)).toBe(0)
      }),
    )
  })

  test('what another implementation packs is unpacked here', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const packed = snappyjs.compress(Uint8Array.from(bytes))
        expect(Buffer.compare(decodeSnappy(packed, BYTES_MAX), bytes)).toBe(0)
      }),
    )
  })

  test('several blocks, long matches, and a pack that is smaller', () => {
    const text = Buffer.from(
      Array.from(
        { length: 9000 },
        (_, i) => `http_requests_total{path="/api/${i % 77}",code="${200 + (i % 3)}"} ${i}\n`,
      ).join(''),
    )
    const packed = encodeSnappy(text)
    expect(packed.length).toBeLessThan(text.length / 3)
    expect(Buffer.compare(decodeSnappy(packed, BYTES_MAX), text)).toBe(0)
    const scratch = new Uint8Array(BYTES_MAX)
    const unpacked = decodeSnappy(packed, BYTES_MAX, scratch)
    expect(unpacked.buffer).toBe(scratch.buffer)
    expect(Buffer.compare(unpacked, text)).toBe(0)
  })

  test.each([
    ['nothing', []],
    ['a length without an end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['more than is allowed', [0xff, 0xff, 0xff, 0x7f, 0]],
    ['more than the bytes can hold', [0xff, 0x7f, 0, 1]],
    ['a literal that ends early', [5, 4 << 2, 1, 2]],
    ['a copy from before the start', [8, 0, 65, 0b000_001_01, 9]],
    ['a copy of distance 0', [8, 0, 65, 0b000_001_01, 0]],
    ['a copy beyond the stated end', [3, 0, 65, 0b000_001_01, 1]],
    ['less than stated', [9, 0, 65]],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeSnappy(Uint8Array.from(bytes), 1 << 20)).toThrow(WireFormatError)
  })

  test('mutated and cut blocks are unpacked to something or refused', () => {
    const edit = fc.tuple(fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(repetitive, fc.array(edit, { maxLength: 6 }), fc.nat(), (bytes, edits, cut) => {
        const packed = encodeSnappy(bytes)
        for (const [at, value] of edits) packed[at % packed.length] = value
        const hostile = packed.subarray(0, packed.length - (cut % packed.length))
        try {
          expect(decodeSnappy(hostile, BYTES_MAX).length).toBeLessThanOrEqual(BYTES_MAX)
        } catch (error) {
          expect(error).toBeInstanceOf(WireFormatError)
        }
      }),
    )
  })
})
