import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import fc from 'fast-check'
import { CorruptionError, type Tsdb } from '../index.ts'
import { dump, openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { readBlockMeta } from './block-folder.ts'
import { decodeBlockIndex } from './block-index.ts'
import { cutsOf, decodeReference, encodeReference } from './column-ends.ts'
import { decodeDeletions, encodeDeletions } from './deletions.ts'
import { verifyBlock } from './verify.ts'

const START = 1_699_999_200_000
const noiseOf = (i: number): number => Math.floor(Math.abs(Math.sin(i * 12.9898) * 43_758.5453) % 100)
const { folder, remove } = temporaryFolder()
let store: Tsdb
let block: string

beforeAll(async () => {
  store = await openStore(folder)
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([
    ['__name__', 'up'],
    ['__name__', 'bucket', 'le', '1'],
    ['__name__', 'bucket', 'le', '2'],
  ])
  for (let minute = 0; minute < 200; minute++) {
    const noise = noiseOf(minute)
    writeRow(writer, START + minute * 60_000, [
      [0, 1],
      [1, minute * 100 + noise],
      [2, minute * 100 + noise + 900],
    ])
  }
  await store.maintain()
  block = join(folder, store.blocks()[0]!.ulid)
})

afterAll(async () => {
  await store.close()
  remove()
})

test('blocks: columns that move in the same steps share their end, and are read as they were', () => {
  const index = decodeBlockIndex(readFileSync(join(block, 'index')), 'index')
  const bytes = [0, 1].map((series) => index.columnStart[series + 1]! - index.columnStart[series]!)
  // By name: bucket 1, bucket 2, up.
  expect(bytes[0]).toBeGreaterThan(60)
  expect(bytes[1]).toBeLessThan(12)
  const values = new Float64Array(
    BigUint64Array.from(dump(store)['bucket{job="x", le="2"}']!, ([, bits]) => bits).buffer,
  )
  expect([...values]).toEqual(Array.from({ length: 200 }, (_, i) => i * 100 + noiseOf(i) + 900))
})

test('blocks: every flipped bit of index and data is found', () => {
  const copy = temporaryFolder()
  const target = join(copy.folder, 'block')
  cpSync(block, target, { recursive: true })
  expect(verifyBlock(target)).toBeUndefined()
  for (const name of ['index', 'data']) {
    const file = join(target, name)
    const whole = readFileSync(file)
    for (let bit = 0; bit < whole.length * 8; bit++) {
      whole[bit >>> 3]! ^= 1 << (bit & 7)
      writeFileSync(file, whole)
      expect(verifyBlock(target), `${name}, bit ${bit}`).toBeTypeOf('string')
      whole[bit >>> 3]! ^= 1 << (bit & 7)
    }
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(file, whole.subarray(0, length))
      expect(verifyBlock(target), `${name}, cut at ${length}`).toBeTypeOf('string')
    }
    writeFileSync(file, whole)
  }
  copy.remove()
})

test('blocks: every flipped bit of the description is found, or changes nothing that it says', {
  timeout: 60_000,
}, () => {
  const copy = temporaryFolder()
  const target = join(copy.folder, 'block')
  cpSync(block, target, { recursive: true })
  const want = readBlockMeta(target)
  const file = join(target, 'meta.json')
  const whole = readFileSync(file)
  let found = 0
  for (let bit = 0; bit < whole.length * 8; bit++) {
    whole[bit >>> 3]! ^= 1 << (bit & 7)
    writeFileSync(file, whole)
    whole[bit >>> 3]! ^= 1 << (bit & 7)
    if (verifyBlock(target) === undefined) expect(readBlockMeta(target), `bit ${bit}`).toMatchObject(want)
    else found++
  }
  // The rest: spaces, and the name of the checksum.
  expect(found).toBeGreaterThan(whole.length * 5)
  copy.remove()
})

test('blocks: an index of any bytes ends in a typed error or in an index', () => {
  const whole = readFileSync(join(block, 'index'))
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(flips, fc.nat(), (changes, cut) => {
      const bytes = Buffer.from(whole.subarray(0, cut % 2 === 0 ? whole.length : cut % whole.length))
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      try {
        decodeBlockIndex(bytes, 'index')
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/^ERR_TSDB_(CORRUPTION|NEWER_FORMAT)$/)
      }
    }),
    { numRuns: 500 },
  )
})

test('column ends: what is cut off and put together again is the column', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 1e6 }),
      (column, distance) => {
        for (const cut of cutsOf(column)) {
          const reference = decodeReference(encodeReference(column, cut, distance))!
          expect(reference.distance).toBe(distance)
          const end = column.subarray(column.length - reference.endBytes)
          expect(Buffer.concat([reference.own, end])).toEqual(Buffer.from(column))
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('tombstones: any list is read back; any damage is a typed error', () => {
  const deletion = fc.record({
    number: fc.integer({ min: 1, max: 2 ** 40 }),
    minTimeMs: fc.integer(),
    maxTimeMs: fc.integer(),
    matchers: fc.array(
      fc.record({
        type: fc.constantFrom('=', '!=', '=~', '!~'),
        name: fc.string({ unit: 'binary' }),
        value: fc.string({ unit: 'binary' }),
      }),
      { maxLength: 3 },
    ),
  })
  fc.assert(
    fc.property(fc.array(deletion, { maxLength: 4 }), fc.nat(), fc.nat({ max: 7 }), (deletions, at, bit) => {
      const bytes = Buffer.from(encodeDeletions(7, deletions))
      expect(decodeDeletions(bytes, 'file')).toEqual({ newest: 7, deletions })
      // Beyond magic and version, whose errors are others.
      bytes[8 + (at % (bytes.length - 8))]! ^= 1 << bit
      expect(() => decodeDeletions(bytes, 'file')).toThrow(CorruptionError)
    }),
    { numRuns: 300 },
  )
})
