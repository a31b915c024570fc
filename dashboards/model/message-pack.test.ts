import fc from 'fast-check'
import { pack } from 'msgpackr'
import { expect, test } from 'vitest'
import { readMessagePack } from './message-pack.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('what an independent writer packs is read back', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.integer({ min: -40_000, max: 300 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.string({ maxLength: 300 }),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        tie('value'),
        { maxKeys: 20 },
      ),
    ),
  }))
  fc.assert(
    fc.property(value, (given) => {
      expect(plain(readMessagePack(pack(given)))).toEqual(plain(given))
    }),
  )
})

test('binary values of every length prefix', () => {
  for (const length of [0, 3, 300, 70_000]) {
    expect(readMessagePack(pack(new Uint8Array(length).fill(7)))).toHaveLength(length)
  }
})

test('the worked example of the format', () => {
  const hex =
    'dc000283a773746172744d73cd03e8a6737465704d73cd03e8a5636f756e740183a673657269657391' +
    '82a66c6162656c7390a676616c756573c408000000000000f03fa87761726e696e677390a5696e666f7390'
  expect(plain(readMessagePack(Uint8Array.from(Buffer.from(hex, 'hex'))))).toMatchObject([
    { startMs: 1000, stepMs: 1000, count: 1 },
    { series: [{ labels: [] }], warnings: [], infos: [] },
  ])
})

test('bytes that end early are refused', () => {
  for (const hex of ['93', 'a5616263', 'c4ff00', 'cb3ff0', 'dc']) {
    expect(() => readMessagePack(Uint8Array.from(Buffer.from(hex, 'hex')))).toThrow(RangeError)
  }
  expect(() => readMessagePack(Uint8Array.of(0xc1))).toThrow('0xc1')
})
