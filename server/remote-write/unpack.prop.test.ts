// The kernel that unpacks request bodies against the model's decoder, on good and on damaged blocks.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WriteRequestKernels } from '../../kernels/index.ts'
import { decodeSnappy, encodeSnappy } from '../../model/index.ts'

const kernels = new WriteRequestKernels()

/** `undefined` where the block is refused. */
function decoded(packed: Uint8Array): Uint8Array | undefined {
  try {
    return decodeSnappy(packed, 1 << 20)
  } catch {
    return undefined
  }
}

function check(packed: Uint8Array, cut = 0): void {
  const got = kernels.unpack([packed.subarray(0, cut), packed.subarray(cut)])
  expect(got && Buffer.from(got)).toEqual(toBuffer(decoded(packed)))
}

const toBuffer = (bytes: Uint8Array | undefined): Buffer | undefined => bytes && Buffer.from(bytes)

// Repetition at all distances, so that copies overlap themselves.
const text = fc
  .array(fc.record({ piece: fc.uint8Array({ minLength: 1, maxLength: 90 }), times: fc.integer({ min: 1, max: 12 }) }))
  .map((parts) => Buffer.concat(parts.flatMap(({ piece, times }) => Array.from({ length: times }, () => piece))))

test('unpacks what is packed, in pieces', () => {
  fc.assert(
    fc.property(text, fc.nat(), (bytes, at) => {
      const packed = encodeSnappy(bytes)
      check(packed, at % packed.length)
    }),
    { numRuns: 500 },
  )
})

test('refuses what the decoder refuses, and gives the same bytes otherwise', () => {
  fc.assert(
    fc.property(text, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (bytes, changes) => {
      const packed = encodeSnappy(bytes)
      for (const [at, byte] of changes) packed[at % packed.length] = byte
      // The decoder takes no length that the input could never hold; the kernel finds that at the end.
      check(packed)
    }),
    { numRuns: 2000 },
  )
})

test('what is too large for it is left to the decoder', () => {
  expect(kernels.unpack([encodeSnappy(new Uint8Array(9 << 20))])).toBeUndefined()
  expect(kernels.unpack([new Uint8Array(3 << 20)])).toBeUndefined()
  expect(kernels.unpack([])).toBeUndefined()
})
