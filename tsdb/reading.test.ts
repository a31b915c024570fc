import { setTimeout as sleep } from 'node:timers/promises'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startWorker } from '../lib/index.ts'
import { createMatcher } from '../model/index.ts'
import { openReader } from './index.ts'
import { openStore, temporaryFolder, writeRow } from './testing/store.ts'

test('readers: a worker sees whole rows and whole batches while the main thread appends and seals', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { blockDurationMs: 60_000 })
  const writers = ['a', 'b', 'c'].map((instance) => {
    const writer = store.openGroup(['instance', instance])
    writer.addSeries([
      ['__name__', 'left'],
      ['__name__', 'right'],
    ])
    return writer
  })
  const { handle, detach } = store.attachReader()
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const worker = startWorker(new URL('./testing/reading-worker.ts', import.meta.url), {
    workerData: { handle, shared },
  })
  const answer = once(worker, 'message')
  const appender = store.appender()
  const rounds = (): number => Atomics.load(shared, 1)
  // More where the machine has other work, so that the worker gets its turns.
  for (let row = 0; row < 4000 || (rounds() <= 5 && row < 100_000); row++) {
    const timeMs = 1_700_000_000_000 + row * 100
    for (const writer of writers)
      writeRow(writer, timeMs, [
        [0, row],
        [1, row],
      ])
    // The second series of the batch lags behind, so that the batch takes several groups and rows.
    appender.append(undefined, ['__name__', 'batch_a'], timeMs, row)
    appender.append(undefined, ['__name__', 'batch_b'], timeMs - 50, row)
    await appender.commit()
    if (row % 500 === 499) await store.maintain()
    if (row % 20 === 0) await sleep(1)
  }
  Atomics.store(shared, 0, 1)
  const [result] = (await answer) as [{ faults: number; newestRow: number }]
  expect(result.faults).toBe(0)
  expect(rounds()).toBeGreaterThan(5)
  expect(result.newestRow).toBeGreaterThan(0)
  expect(store.blocks().length).toBeGreaterThan(2)
  await worker.terminate()
  detach()
  await store.close()
  remove()
}, 60_000)

test('looking at the values of a label ends when the reader is told to, and goes on from there', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const appender = store.appender()
  for (let i = 0; i < 500; i++) appender.append(undefined, ['__name__', 'a', 'i', String(i)], 1000, i)
  await appender.commit()
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: 0, maxTimeMs: 2000 }
  const found = (): number => {
    const querier = reader.querier(range)
    try {
      return querier.series([[createMatcher('=~', 'i', '.*[13579]')]], range).length
    } finally {
      querier.close()
    }
  }
  let looks = 0
  reader.check = () => {
    if (looks++ === 5) throw new Error('enough')
  }
  expect(found).toThrow('enough')
  expect(found()).toBe(250)
  // What was known at the first end was not looked at again.
  expect(looks).toBeLessThan(500 / 8)
  reader.close()
  detach()
  await store.close()
  remove()
})
