import { expect, test } from 'vitest'
import { columnKernels, createKernelMemory, instantiateKernels, rowKernels } from '../../kernels/index.ts'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { HeadMemory } from '../memory/head-memory.ts'
import { temporaryFolder, writeRow } from '../testing/store.ts'
import { WalWriter } from '../wal/wal-writer.ts'
import { Head } from './head.ts'

const MEMORY_BYTES = 64 << 20
const WINDOW_MS = 7_200_000
const GROUPS = 120

/** How many groups closed their rows in each round, when all of them get a row each `intervalMs` from the beginning of a window on. */
function closings(intervalMs: number, rounds: number): number[] {
  const { folder, remove } = temporaryFolder()
  const shared = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES })
  const memory = new HeadMemory(shared, MEMORY_BYTES)
  const instance = instantiateKernels(shared)
  const closed: number[] = Array(rounds).fill(0)
  let round = 0
  const head = new Head({
    memory,
    kernels: rowKernels(instance),
    columns: columnKernels(instance),
    windowMs: WINDOW_MS,
    onClosed: () => closed[round]!++,
  })
  const clock = new ManualClock(0)
  const limits = { firstSegment: 1, segmentBytesMax: 1 << 30, backlogBytesMax: 1 << 30 }
  head.openLog(new WalWriter({ memory, folder, clock, logger: silentLogger, ...limits, onSync: () => undefined }))
  try {
    const writers = Array.from({ length: GROUPS }, (_, i) => {
      const writer = head.openGroup(['instance', `i${i}`])
      writer.addSeries([['__name__', 'm']])
      return writer
    })
    for (; round < rounds; round++) {
      for (const writer of writers) writeRow(writer, 10 * WINDOW_MS + round * intervalMs, [[0, round]])
    }
    return closed
  } finally {
    remove()
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)

test.each([
  ['rows', 12_000],
  ['age', 60_000],
])('groups that start together are closed one after the other, by %s', (_, intervalMs) => {
  const perWindow = WINDOW_MS / intervalMs
  const closed = closings(intervalMs, 2 * perWindow + 1)
  // Not more segments than if all were of the usual length, in the second window as in the first.
  const segments = Math.round(WINDOW_MS / Math.min(120 * intervalMs, 30 * 60_000))
  for (const from of [0, perWindow]) {
    const inAll = sum(closed.slice(from + 1, from + perWindow + 1))
    expect(inAll).toBeLessThanOrEqual(GROUPS * segments)
    expect(inAll).toBeGreaterThan(0.98 * GROUPS * segments)
    const most = Math.max(...closed.slice(from + 1, from + perWindow))
    expect(most).toBeLessThanOrEqual(Math.ceil(GROUPS / (perWindow / segments)) + 1)
    const shares = [0.2, 0.4, 0.6].map((at) => closed.slice(from + perWindow * at, from + perWindow * (at + 0.2)))
    for (const share of shares) expect(sum(share)).toBeGreaterThan(0.7 * GROUPS * segments * 0.2)
  }
})
