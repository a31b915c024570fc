import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKernelMemory, KERNEL_RESERVED_BYTES, twinPageParts, wasmPageParts } from './index.ts'

const AREA = 1 << 15
const [PAGE, TABLE, GAPS, VALUES, JOINED] = [0, 1, 2, 3, 4].map((i) => KERNEL_RESERVED_BYTES + i * AREA) as [
  number,
  number,
  number,
  number,
  number,
]

interface Page {
  readonly lines: readonly (readonly [gap: string, value: string])[]
  readonly tail: string
}

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('a', '{', '"', '\n', '0', ' '), maxLength })
const page: fc.Arbitrary<Page> = fc.record({
  lines: fc.array(fc.tuple(text(70), text(40)), { maxLength: 40 }),
  tail: text(50),
})

function run(create: typeof wasmPageParts, { lines, tail }: Page) {
  // Behind everything that is written lies more than any padding.
  const memory = createKernelMemory({
    initialBytes: KERNEL_RESERVED_BYTES + (1 << 20) + 8 * AREA,
    maximumBytes: 1 << 24,
  })
  const kernel = create(memory)
  const bytes = Buffer.from(memory.buffer)
  bytes.fill(0x31, KERNEL_RESERVED_BYTES)
  const whole = `${lines.map(([gap, value]) => gap + value).join('')}${tail}`
  bytes.write(whole, PAGE, 'latin1')
  lines.forEach(([gap, value], i) => {
    bytes.writeUInt32LE(gap.length, TABLE + 8 * i)
    // The key's length above it is nobody's matter here.
    bytes.writeUInt32LE((7 << 8) | value.length, TABLE + 8 * i + 4)
  })
  const read = (at: number, length: number): string => bytes.toString('latin1', at, at + length)
  const gapsLength = kernel.takeGaps(PAGE, whole.length, TABLE, lines.length, GAPS)
  const valuesLength = kernel.takeValues(PAGE, TABLE, lines.length, VALUES)
  const joined = kernel.join(GAPS, gapsLength, VALUES, TABLE, lines.length, JOINED)
  return {
    kernel,
    whole,
    gaps: read(GAPS, gapsLength),
    values: read(VALUES, valuesLength),
    joined: read(JOINED, joined),
    gapsLength,
  }
}

test('a page taken apart is its gaps and its values, and becomes itself again', () => {
  fc.assert(
    fc.property(page, (given) => {
      for (const create of [wasmPageParts, twinPageParts]) {
        const { whole, gaps, values, joined } = run(create, given)
        expect(gaps).toBe(given.lines.map(([gap]) => gap).join('') + given.tail)
        expect(values).toBe(given.lines.map(([, value]) => value).join(''))
        expect(joined).toBe(whole)
      }
    }),
    { numRuns: 150 },
  )
})

test('equal bytes have equal hashes, a byte more or another one is seen', () => {
  fc.assert(
    fc.property(page, fc.nat(), (given, at) => {
      for (const create of [wasmPageParts, twinPageParts]) {
        const { kernel, gapsLength } = run(create, given)
        expect(kernel.equal(GAPS, GAPS, gapsLength)).toBe(true)
        if (gapsLength === 0) continue
        const changed = run(create, { lines: [], tail: given.tail })
        expect(changed.kernel.hash(GAPS, changed.gapsLength)).toBe(changed.kernel.hash(PAGE, changed.gapsLength))
        expect(kernel.equal(GAPS, VALUES + AREA / 2 - (at % 7), gapsLength)).toBe(false)
      }
    }),
    { numRuns: 50 },
  )
})
