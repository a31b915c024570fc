import { expect, test } from 'vitest'
import { freeBuffer } from './free-buffer.ts'

test('a large buffer is given back, a small one is left alone', () => {
  for (let round = 0; round < 3; round++) {
    const large = new Uint8Array(1 << 20)
    freeBuffer(large)
    expect(large.byteLength).toBe(0)
  }
  const small = new Uint8Array(1000)
  freeBuffer(small)
  expect(small.byteLength).toBe(1000)
})
