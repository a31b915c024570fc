import { expect, test } from 'vitest'
import { StartLimiter } from './start-limiter.ts'

test('a few start at once, the rest turn by turn, in order, and others have their turns in between', async () => {
  const limiter = new StartLimiter()
  const started: number[] = []
  const start = async (id: number): Promise<void> => {
    const turn = limiter.turn()
    if (turn !== undefined) await turn
    started.push(id)
  }
  const all = Promise.all(Array.from({ length: 50 }, (_, id) => start(id)))
  expect(started).toHaveLength(20)
  const seenByOthers: number[] = []
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    seenByOthers.push(started.length)
  }
  await all
  expect(seenByOthers.some((count) => count > 20 && count < 50)).toBe(true)
  expect(started).toEqual(Array.from({ length: 50 }, (_, id) => id))
  // When nothing was due for a turn, the next few start at once again.
  await new Promise((resolve) => setImmediate(resolve))
  await start(50)
  expect(started.at(-1)).toBe(50)
  expect(limiter.turn()).toBeUndefined()
})
