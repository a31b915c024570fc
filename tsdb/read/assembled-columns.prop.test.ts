import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnRoom } from '../../kernels/index.ts'
import type { Labels } from '../../model/index.ts'
import { openReader } from '../index.ts'
import { type CellValue, dump, dumpReader, openStore, temporaryFolder, writeRow } from '../testing/store.ts'

const MINUTE = 60_000
// Short, so that some hundred rows cut blocks.
const BLOCK_MS = 20 * MINUTE
const START = 1_699_999_200_000 // A multiple of two hours.
const TARGETS: Labels[] = [
  ['instance', 'a:1'],
  ['instance', 'b:1'],
]
const SERIES = ['up', 'cpu', 'load'].map((name): Labels => ['__name__', name])

/** So little room that what was used longest ago must go. */
function smallRoom(): { room: ColumnRoom; taken: () => number } {
  const slotBytes = 16 << 10
  const isFree = Array.from({ length: 4 }, () => true)
  let taken = 0
  const room = {
    buffer: new ArrayBuffer(slotBytes * isFree.length),
    bytes: slotBytes * isFree.length,
    take(bytes: number): number | undefined {
      const slot = bytes <= slotBytes ? isFree.indexOf(true) : -1
      if (slot < 0) return undefined
      isFree[slot] = false
      taken++
      return slot * slotBytes
    },
    release(at: number): void {
      expect(isFree[at / slotBytes]).toBe(false)
      isFree[at / slotBytes] = true
      new Uint8Array(room.buffer, at, slotBytes).fill(0xff)
    },
  }
  return { room, taken: () => taken }
}

const cell: fc.Arbitrary<CellValue> = fc.oneof(
  { weight: 60, arbitrary: fc.integer({ min: -50, max: 50 }) },
  fc.constantFrom<CellValue>('stale', 'absent'),
)
const step = fc.oneof(
  fc.record({
    kind: fc.constant('rows' as const),
    target: fc.nat({ max: TARGETS.length - 1 }),
    rows: fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 60 }),
  }),
  fc.record({
    kind: fc.constant('look' as const),
    name: fc.constantFrom(undefined, 'up', 'cpu', 'load'),
    // Most often (nearly) all of the time.
    from: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.double({ min: 0, max: 0.5, noNaN: true })),
    share: fc.oneof({ weight: 2, arbitrary: fc.constant(1.5) }, fc.double({ min: 0, max: 1.5, noNaN: true })),
  }),
  fc.constant({ kind: 'maintain' as const }),
)

test('whole columns that are kept are those that are put together anew, whatever is written and sealed meanwhile', async () => {
  let kept = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const { folder, remove } = temporaryFolder()
      const store = await openStore(folder, { blockDurationMs: BLOCK_MS })
      const { handle, detach } = store.attachReader()
      const { room, taken } = smallRoom()
      const reader = openReader(handle, () => room)
      try {
        const writers = TARGETS.map((labels) => store.openGroup(labels))
        for (const writer of writers) writer.addSeries(SERIES)
        const newestMs = TARGETS.map(() => START)
        for (const action of steps) {
          if (action.kind === 'maintain') await store.maintain()
          else if (action.kind === 'rows') {
            for (const row of action.rows) {
              const timeMs = (newestMs[action.target]! += 15_000)
              writeRow(writers[action.target]!, timeMs, [...row.entries()])
            }
            await store.flushed()
          } else {
            const spanMs = Math.max(...newestMs) - START
            const minTimeMs = Math.floor(START + action.from * spanMs)
            const range = { minTimeMs, maxTimeMs: Math.floor(minTimeMs + action.share * spanMs) }
            const selector: Labels = action.name === undefined ? [] : ['__name__', action.name]
            // Twice: what the first look keeps the second one finds.
            for (let look = 0; look < 2; look++) {
              expect(dumpReader(reader, selector, range)).toEqual(dump(store, selector, range))
            }
          }
        }
        kept += taken()
      } finally {
        reader.close()
        detach()
        await store.close()
        remove()
      }
    }),
    { numRuns: 25 },
  )
  expect(kept).toBeGreaterThan(30)
}, 120_000)
