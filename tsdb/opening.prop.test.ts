// Goal: an answer given before the head is there is whole unless the reader says that something may be missing.
// Method: samples in and out of order, killed at any moment and opened with the head held back; each range without such a
// word must hold what it holds afterwards.
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeldTurns } from '../lib/held-turns.ts'
import { openReadEarly } from './testing/early-reader.ts'
import { copyAsKilled, type Dump, dump, dumpReader, openStore, temporaryFolder } from './testing/store.ts'

const MINUTE_MS = 60_000
const BLOCK_MS = 20 * MINUTE_MS
const START_MS = 1_699_999_200_000

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('sample' as const), aheadMinutes: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('late' as const), backMinutes: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'maintain' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
)

test('what was answered without a word from blocks alone is what the whole store answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 60 }),
      fc.constantFrom(0, 10, 45),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 60 })), { maxLength: 20 }),
      async (steps, lateMinutes, ranges) => {
        const { folder, remove } = temporaryFolder()
        const options = { blockDurationMs: BLOCK_MS, outOfOrderTimeWindowMs: lateMinutes * MINUTE_MS }
        const dataDir = join(folder, 'live')
        let store = await openStore(dataDir, options)
        let nowMs = START_MS
        for (const one of steps) {
          if (one.kind === 'maintain') await store.maintain()
          else if (one.kind === 'reopen') {
            await store.close()
            store = await openStore(dataDir, options)
          } else {
            if (one.kind === 'sample') nowMs += one.aheadMinutes * MINUTE_MS
            const timeMs = one.kind === 'sample' ? nowMs : nowMs - one.backMinutes * MINUTE_MS
            const appender = store.appender()
            try {
              appender.append(undefined, ['__name__', 'n'], timeMs, timeMs)
            } catch {
              // Too late, or there already.
            }
            await appender.commit()
          }
        }
        await store.flushed()
        const killed = join(folder, 'killed')
        copyAsKilled(dataDir, killed)
        await store.close()
        await checkOpening(killed, options, ranges)
        remove()
      },
    ),
    { numRuns: 12 },
  )
})

async function checkOpening(
  dataDir: string,
  options: { blockDurationMs: number; outOfOrderTimeWindowMs: number },
  ranges: readonly (readonly [number, number])[],
): Promise<void> {
  const turns = new HeldTurns(1)
  const opening = openReadEarly(dataDir, options, turns)
  // There may be nothing to read back.
  await Promise.race([turns.held, opening.opened])
  const whole: { range: { minTimeMs: number; maxTimeMs: number }; before: Dump }[] = []
  for (const [fromMinute, minutes] of [...ranges, [0, 1000] as const]) {
    const minTimeMs = START_MS + fromMinute * MINUTE_MS
    const range = { minTimeMs, maxTimeMs: minTimeMs + minutes * MINUTE_MS }
    const before = dumpReader(opening.reader, [], range)
    if (opening.reader.takeMissing() === undefined) whole.push({ range, before })
  }
  turns.goOn()
  const store = await opening.opened
  for (const { range, before } of whole) expect(before).toEqual(dump(store, [], range))
  await opening.end()
}
