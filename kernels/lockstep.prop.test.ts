import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createKernelMemory,
  KERNEL_RESERVED_BYTES,
  LOCKSTEP_PARAM_BYTES,
  type LockstepKernel,
  LockstepMap,
  LockstepParam as P,
  twinLockstep,
  wasmLockstep,
} from './index.ts'

const AREA = 1 << 15
const PAGES_AT = KERNEL_RESERVED_BYTES + AREA

/** Two pages in a memory of their own, with room for every output. */
function setUp(create: (memory: WebAssembly.Memory, paramsAt: number) => LockstepKernel) {
  const memory = createKernelMemory({ initialBytes: KERNEL_RESERVED_BYTES + 16 * AREA, maximumBytes: 1 << 24 })
  const kernel = create(memory, KERNEL_RESERVED_BYTES)
  const params = new Uint32Array(memory.buffer, KERNEL_RESERVED_BYTES, LOCKSTEP_PARAM_BYTES / 4)
  const area = (i: number): number => PAGES_AT + i * AREA
  const bytes = new Uint8Array(memory.buffer)
  params[P.TABLE] = area(2)
  params[P.MAP] = area(3)
  params[P.ENTRIES] = area(4)
  params[P.LENGTHS] = area(5)
  params[P.EVENTS] = area(6)
  params[P.NEW_TABLE] = area(7)
  params[P.NEW_MAP] = area(8)
  params[P.STARTS] = area(9)
  params[P.HASHES] = area(10)
  params[P.HASH_MASK] = 255
  params[P.MATCHED] = area(11)
  const load = (which: 'CUR' | 'PREV', text: string): void => {
    const page = Buffer.from(text)
    const at = area(which === 'CUR' ? 0 : 1)
    // What lies behind a page is not its matter; make it look like more of it.
    bytes.fill(0x31, at, at + AREA)
    bytes.set(page, at)
    params[P[which]] = at
    params[P[`${which}_LENGTH`]] = page.length
  }
  const read = (param: number, byteCount: number): string => {
    const at = params[param]!
    return Buffer.from(bytes.slice(at, at + byteCount)).toString('hex')
  }
  /** Learns `prev` as the old page; every third line is dropped, every seventh marked a duplicate. */
  const learn = (prev: string, force: number): number => {
    load('PREV', '')
    load('CUR', prev)
    params[P.LINE_COUNT] = 0
    params[P.FORCE] = force
    const lineCount = kernel.rematch()
    if (lineCount < 0) return lineCount
    bytes.copyWithin(area(2), area(7), area(7) + lineCount * 8)
    const map = new Int32Array(memory.buffer, area(3), lineCount)
    for (let i = 0; i < lineCount; i++)
      map[i] = i % 7 === 6 ? LockstepMap.DUPLICATE : i % 3 === 2 ? LockstepMap.DROPPED : i * 2
    load('PREV', prev)
    params[P.LINE_COUNT] = lineCount
    return lineCount
  }
  const outputs = (): unknown[] => [
    ...params.slice(P.ENTRY_COUNT, P.ENTRY_COUNT + 5),
    read(P.ENTRIES, params[P.ENTRY_COUNT]! * 16),
    read(P.EVENTS, params[P.EVENT_COUNT]! * 16),
  ]
  return { kernel, params, load, learn, read, outputs, area }
}

const value = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1',
    '1e+06',
    '1.5e-05',
    'NaN',
    '+Inf',
    '0.30000000000000004',
    '9007199254740993',
    '1e22',
    '1e-23',
  ),
  fc.constantFrom(
    '',
    '-',
    '.',
    'e5',
    '1e',
    '1e+',
    '1e+0001',
    '1.2.3',
    '123456789012345678901',
    '0.000000000000000000001',
    '{',
  ),
  fc.integer().map(String),
  fc.double().map(String),
  fc.string({ unit: fc.constantFrom('0', '9', '1', '.', 'e', '+', '-'), maxLength: 24 }),
  fc.constant('7'.repeat(300)),
)
const line = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'a ',
          'b{x="1"} ',
          'b{x="2"}',
          'c{q="\\"} 1"} ',
          '  d\t',
          'e{ } ',
          'long_name_of_a_metric{label="value value"} ',
        ),
        value,
        fc.constantFrom('', '', '', ' ', ' 5'),
      )
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: fc.constantFrom('# HELP a b', '', '#', '   ', 'x{', 'x{y="', 'x', 'x{y="\\', 'a {z="1"} 1') },
)
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.map((one) => `${one}\n`).join(''))
/** A page and one that is like it in most lines. */
const pages = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.array(fc.tuple(fc.nat(11), line), { maxLength: 4 }))
  .map(([lines, changes]) => {
    const next = [...lines]
    for (const [at, one] of changes) if (at < next.length) next[at] = one
    return [lines, next].map((page) => page.map((one) => `${one}\n`).join('')) as [string, string]
  })

test('kernel and twin agree on any two pages', () => {
  const one = setUp(wasmLockstep)
  const two = setUp(twinLockstep)
  fc.assert(
    fc.property(fc.oneof(pages, fc.tuple(text, text)), fc.nat(1), ([prev, cur], force) => {
      const counts = [one, two].map((rig) => rig.learn(prev, force))
      expect(counts[0]).toBe(counts[1])
      expect(one.outputs()).toEqual(two.outputs())
      if (counts[0]! < 0) return
      for (const rig of [one, two]) rig.load('CUR', cur)
      expect(one.kernel.countLines(one.area(0), cur.length)).toBe(cur.split('\n').length - 1)

      // Beyond the first difference the outputs mean nothing.
      expect(one.kernel.compare()).toBe(two.kernel.compare())
      expect(one.params[P.COMPLETE]).toBe(two.params[P.COMPLETE])
      if (one.params[P.COMPLETE] === 1) {
        expect(one.outputs()).toEqual(two.outputs())
        expect(one.read(P.LENGTHS, one.params[P.LENGTH_COUNT]! * 8)).toBe(
          two.read(P.LENGTHS, two.params[P.LENGTH_COUNT]! * 8),
        )
      }

      const lines = one.kernel.rematch()
      expect(lines).toBe(two.kernel.rematch())
      if (lines < 0) return
      expect(one.outputs()).toEqual(two.outputs())
      expect(one.params[P.IRREGULAR]).toBe(two.params[P.IRREGULAR])
      expect(one.params[P.MATCHED_COUNT]).toBe(two.params[P.MATCHED_COUNT])
      expect(one.read(P.NEW_TABLE, lines * 8)).toBe(two.read(P.NEW_TABLE, lines * 8))
      expect(one.read(P.NEW_MAP, lines * 4)).toBe(two.read(P.NEW_MAP, lines * 4))
      expect(one.read(P.MATCHED, counts[0]!)).toBe(two.read(P.MATCHED, counts[0]!))
    }),
    { numRuns: 3000 },
  )
})

test('order sorts by position and keeps the last of several', () => {
  const entry = fc.tuple(fc.nat(40), fc.nat(1000))
  const rigs = [setUp(wasmLockstep), setUp(twinLockstep)]
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
      const want = [...new Map(entries)].sort(([a], [b]) => a - b)
      for (const { kernel, params, area } of rigs) {
        const words = new Uint32Array(params.buffer)
        for (const [i, [position, payload]] of entries.entries()) {
          words.set([position, 1, payload, 0], area(4) / 4 + i * 4)
        }
        const count = kernel.order(area(4), entries.length, area(9), 41, area(12))
        const got = Array.from({ length: count }, (_, i) => {
          const at = area(12) / 4 + i * 4
          return [words[at], words[at + 2]]
        })
        expect(got).toEqual(want)
      }
    }),
  )
})
