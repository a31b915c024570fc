import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  DuplicateSampleError,
  type Labels,
  labelsText,
  OutOfBoundsError,
  OutOfOrderSampleError,
} from '../model/index.ts'
import type { Tsdb } from './index.ts'
import { copyAsKilled, bitsOf, type Dump, dump, openStore, STALE_BITS, temporaryFolder } from './testing/store.ts'

const MINUTE = 60_000
const BLOCK_MS = 20 * MINUTE
const START = 1_699_999_200_000
const SERIES: Labels[] = ['a', 'b', 'c', 'd'].map((name) => ['__name__', name])

type Verdict = 'in order' | 'late' | 'left out' | 'duplicate' | 'out of order' | 'out of bounds'

/** The rules of order and what must be stored, in plain maps. */
class Model {
  readonly samples = new Map<string, Map<number, bigint>>()
  readonly newest = new Map<string, number>()
  /** Before the batch at work. */
  #stored = new Map<string, number>()
  /** Late samples by series and time, and of which state of the blocks they are. */
  readonly #late = new Map<string, string>()
  /** Late samples that the head may hold one of, or a block: the value that is stored and the one that came. */
  readonly #open = new Map<string, Map<number, bigint[]>>()
  readonly #windowMs: number
  #headNewestMs = Number.NEGATIVE_INFINITY

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  verdict(name: string, timeMs: number, bits: bigint): Verdict {
    const newestMs = this.newest.get(name) ?? Number.NEGATIVE_INFINITY
    const storedMs = this.#stored.get(name) ?? Number.NEGATIVE_INFINITY
    const isAppendable = timeMs >= this.#headNewestMs - BLOCK_MS / 2
    const isInWindow = this.#windowMs > 0 && timeMs >= this.#headNewestMs - this.#windowMs
    if (isAppendable && timeMs > newestMs) return 'in order'
    if (isAppendable && timeMs > storedMs) return isInWindow && timeMs < newestMs ? 'late' : 'left out'
    if (isAppendable && timeMs === storedMs) {
      return this.samples.get(name)!.get(timeMs) === bits ? 'left out' : 'duplicate'
    }
    if (isInWindow) return 'late'
    return this.#windowMs > 0 || !isAppendable ? 'out of bounds' : 'out of order'
  }

  put(name: string, timeMs: number, bits: bigint): void {
    this.samples.set(name, (this.samples.get(name) ?? new Map<number, bigint>()).set(timeMs, bits))
    this.newest.set(name, Math.max(timeMs, this.newest.get(name) ?? timeMs))
  }

  /** Of late samples of one time the first stays while it is in the head, and what comes then replaces one in a block. */
  putLate(name: string, timeMs: number, bits: bigint, blocks: string): void {
    const key = `${name} ${timeMs}`
    const since = this.#late.get(key)
    if (since === blocks) return
    if (since === undefined) {
      this.#late.set(key, blocks)
      this.put(name, timeMs, bits)
      return
    }
    const open = this.#open.get(name) ?? new Map<number, bigint[]>()
    this.#open.set(name, open)
    open.set(timeMs, [...(open.get(timeMs) ?? [this.samples.get(name)!.get(timeMs)!]), bits])
  }

  /** A batch is over: the head's newest time counts for the next. */
  commit(readBack: () => Dump): void {
    this.#headNewestMs = Math.max(this.#headNewestMs, ...this.newest.values())
    this.#stored = new Map(this.newest)
    if (this.#open.size === 0) return
    const seen = readBack()
    for (const [name, times] of this.#open) {
      for (const [timeMs, values] of times) {
        const value = seen[name]!.find(([time]) => time === timeMs)![1]
        // The one that is stored, or the first that came.
        expect(values.slice(0, 2)).toContain(value)
        this.put(name, timeMs, value)
      }
    }
    this.#open.clear()
  }

  dump(): Dump {
    return Object.fromEntries(
      [...this.samples].map(([name, series]) => [name, [...series].sort(([a], [b]) => a - b)] as const),
    )
  }
}

type Step =
  | { kind: 'append'; gapMs: number; samples: { series: number; backMs: number; value: number | 'stale' }[] }
  | { kind: 'maintain' | 'reopen' | 'kill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      gapMs: fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 6 * MINUTE })),
      samples: fc.array(
        fc.record({
          series: fc.nat({ max: SERIES.length - 1 }),
          // Coarse, so that times meet.
          backMs: fc.oneof(
            fc.constant(0),
            fc.nat({ max: 80 }).map((n) => n * MINUTE),
          ),
          value: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant('stale' as const)),
        }),
        { minLength: 1, maxLength: 8 },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom('maintain', 'reopen', 'kill').map((kind): Step => ({ kind })) },
)

async function append(store: Tsdb, model: Model, nowMs: number, samples: (Step & { kind: 'append' })['samples']) {
  const appender = store.appender({ stream: 'remote' })
  const blocks = store
    .blocks()
    .map(({ ulid }) => ulid)
    .join()
  for (const { series, backMs, value } of samples) {
    const labels = SERIES[series]!
    const name = labelsText(labels)
    const timeMs = nowMs - backMs
    const bits = value === 'stale' ? STALE_BITS : bitsOf(value)
    const want = model.verdict(name, timeMs, bits)
    let got: Verdict | undefined
    try {
      if (value === 'stale') appender.appendStale(undefined, labels, timeMs)
      else appender.append(undefined, labels, timeMs, value)
    } catch (error) {
      if (error instanceof DuplicateSampleError) got = 'duplicate'
      else if (error instanceof OutOfOrderSampleError) got = 'out of order'
      else if (error instanceof OutOfBoundsError) got = 'out of bounds'
      else throw error
    }
    const isTaken = want === 'in order' || want === 'late' || want === 'left out'
    expect(got).toBe(isTaken ? undefined : want)
    if (want === 'in order') model.put(name, timeMs, bits)
    if (want === 'late') model.putLate(name, timeMs, bits, blocks)
  }
  await appender.commit()
  model.commit(() => dump(store))
}

test.each([0, 30 * MINUTE, 70 * MINUTE])(
  'store: with an out-of-order window of %i ms the right samples are taken, and stay',
  { timeout: 240_000 },
  async (outOfOrderTimeWindowMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 70, size: 'max' }), async (steps) => {
        const { folder, remove } = temporaryFolder()
        const options = { blockDurationMs: BLOCK_MS, outOfOrderTimeWindowMs }
        let dataDir = join(folder, '0')
        let kills = 0
        let store = await openStore(dataDir, options)
        const model = new Model(outOfOrderTimeWindowMs)
        let nowMs = START
        try {
          for (const one of steps) {
            if (one.kind === 'append') {
              nowMs += one.gapMs
              nowMs -= nowMs % 1000
              await append(store, model, nowMs, one.samples)
            } else if (one.kind === 'maintain') await store.maintain()
            else {
              const left = join(folder, String(++kills))
              await store.flushed()
              if (one.kind === 'kill') copyAsKilled(dataDir, left)
              await store.close()
              if (one.kind === 'kill') dataDir = left
              store = await openStore(dataDir, options)
            }
            if (one.kind !== 'append') expect(dump(store)).toEqual(model.dump())
          }
          await store.maintain()
          expect(dump(store)).toEqual(model.dump())
        } finally {
          await store.close()
          remove()
        }
      }),
      { numRuns: 2 },
    )
  },
)

test('store: late samples of a window that is a block already become a further block, and stay after a kill', async () => {
  const { folder, remove } = temporaryFolder()
  const options = { blockDurationMs: BLOCK_MS, outOfOrderTimeWindowMs: 70 * MINUTE }
  let store = await openStore(join(folder, 'live'), options)
  const want: Dump = {}
  const append = async (name: string, minutes: number[]): Promise<void> => {
    const appender = store.appender({ stream: 'remote' })
    for (const minute of minutes) {
      appender.append(undefined, ['__name__', name], START + minute * MINUTE, minute)
      ;(want[name] ??= []).push([START + minute * MINUTE, bitsOf(minute)])
    }
    want[name]!.sort(([a], [b]) => a - b)
    await appender.commit()
  }
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  await append('a', range(0, 60))
  await store.maintain()
  const before = store.blocks().flatMap(({ compaction }) => compaction.sources)
  expect(before).toHaveLength(2)
  await append('b', range(5, 15))
  await append('a', [3.5, 7.5])
  await append('c', [30, 10, 20])
  const check = (): void => expect(dump(store)).toEqual(want)
  check()
  await store.flushed()
  copyAsKilled(join(folder, 'live'), join(folder, 'killed'))
  await store.close()
  store = await openStore(join(folder, 'killed'), options)
  check()
  await append('a', range(60, 75))
  await store.maintain()
  check()
  const after = store.blocks().flatMap(({ compaction }) => compaction.sources)
  // One in order, two with what came late for the first two windows.
  expect(after).toHaveLength(5)
  await store.close()
  store = await openStore(join(folder, 'killed'), options)
  check()
  await store.close()
  remove()
})
