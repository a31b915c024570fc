import { expect, test } from 'vitest'
import { type Labels, OutOfOrderSampleError } from '../model/index.ts'
import type { Tsdb } from './index.ts'
import { bitsOf, type Dump, dump, openStore, temporaryFolder } from './testing/store.ts'

const START = 1_699_999_200_000
const SERIES: Labels[] = Array.from({ length: 60 }, (_, i) => ['__name__', 'm', 'n', String(i).padStart(2, '0')])

test('stream: series that come together stay together, wherever a sender cuts its batches', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const want: Dump = {}
  for (let round = 0; round < 40; round++) {
    const timeMs = START + round * 15_000
    // The cut moves through the series, so that each lies now before, now behind it; twice a round names all backwards.
    const cut = (round * 23) % SERIES.length
    for (const [from, to] of [
      [0, cut],
      [cut, SERIES.length],
    ] as const) {
      const appender = store.appender({ stream: 'remote' })
      for (let i = from; i < to; i++) {
        const labels = SERIES[round % 3 === 0 ? to - 1 - (i - from) : i]!
        appender.append(undefined, labels, timeMs, round + i / 4)
        ;(want[`m{n="${labels[3]}"}`] ??= []).push([timeMs, bitsOf(round + i / 4)])
      }
      await appender.commit()
    }
  }
  expect(dump(store)).toEqual(want)
  expect(store.stats().numSeries).toBe(SERIES.length)
  // Positions of all groups: a group for each batch of a round, each with at most every series.
  expect(store.stats().chunkCount).toBeLessThanOrEqual(4 * SERIES.length)
  await store.close()
  remove()
})

test('stream: one batch with many times of many series, in the order of series or of times', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const want: Dump = {}
  const appender = store.appender({ stream: 'remote' })
  for (const [i, labels] of SERIES.entries()) {
    for (let row = 0; row < 30; row++) {
      const timeMs = START + row * 15_000 + (i % 3)
      appender.append(undefined, labels, timeMs, i * row)
      ;(want[`m{n="${labels[3]}"}`] ??= []).push([timeMs, bitsOf(i * row)])
    }
  }
  await appender.commit()
  expect(dump(store)).toEqual(want)
  await store.close()
  remove()
})

test('streams: who was written last is remembered over a restart, also when an older group has gone into a block', async () => {
  const { folder, remove } = temporaryFolder()
  const options = { blockDurationMs: 20 * 60_000 }
  const minute = (n: number): number => 1_699_999_200_000 + n * 60_000
  const write = async (store: Tsdb, name: string, atMs: number): Promise<void> => {
    const appender = store.appender({ stream: 'rules' })
    appender.append(undefined, ['__name__', name], atMs, 1)
    await appender.commit()
  }
  const first = await openStore(folder, options)
  await write(first, 'old', minute(1))
  // Behind the newest row of the group, so that it gets one of its own.
  await write(first, 'young', minute(0))
  await write(first, 'young', minute(38))
  await first.close()
  const store = await openStore(folder, options)
  // Whoever looks for a group now begins to remember what earlier runs have left.
  await write(store, 'third', minute(40))
  await store.maintain()
  await expect(write(store, 'young', minute(35))).rejects.toThrow(OutOfOrderSampleError)
  await store.close()
  remove()
})
