import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { Ticker, type Waiter } from './ticker.ts'

class Recorder implements Waiter {
  readonly #clock: ManualClock
  readonly #again: ((recorder: Recorder) => void) | undefined
  readonly calledAtMs: number[] = []

  constructor(clock: ManualClock, again?: (recorder: Recorder) => void) {
    this.#clock = clock
    this.#again = again
  }

  onTick(): void {
    this.calledAtMs.push(this.#clock.nowMs())
    this.#again?.(this)
  }
}

test('everyone is called once, in the first tick that is not too early, unless taken back', async () => {
  const wish = fc.record({ atMs: fc.integer({ min: 1, max: 300 }), isTakenBack: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { maxLength: 30 }), async (wishes) => {
      const clock = new ManualClock(0)
      const ticker = new Ticker(clock)
      const recorders = wishes.map(({ atMs }) => {
        const recorder = new Recorder(clock)
        ticker.at(atMs, recorder)
        return recorder
      })
      for (const [i, { atMs, isTakenBack }] of wishes.entries()) if (isTakenBack) ticker.remove(atMs, recorders[i]!)
      await clock.advance(400)
      for (const [i, { atMs, isTakenBack }] of wishes.entries()) {
        expect(recorders[i]!.calledAtMs).toEqual(isTakenBack ? [] : [Math.ceil(atMs / 10) * 10])
      }
    }),
    { numRuns: 40 },
  )
})

test('who is called may wait again, earlier than all others', async () => {
  const clock = new ManualClock(0)
  const ticker = new Ticker(clock)
  const late = new Recorder(clock)
  ticker.at(500, late)
  const often = new Recorder(clock, (recorder) => ticker.at(clock.nowMs() + 100, recorder))
  ticker.at(100, often)
  await clock.advance(550)
  expect(often.calledAtMs).toEqual([100, 200, 300, 400, 500])
  expect(late.calledAtMs).toEqual([500])
})
