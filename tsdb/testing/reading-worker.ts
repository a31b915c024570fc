// Reads the same series over and over while the main thread appends, and checks that it never sees half of anything.
import { parentPort, workerData } from 'node:worker_threads'
import { createMatcher } from '../../model/index.ts'
import { openReader, type ReaderHandle } from '../index.ts'

/** Shared: whether to stop, and how many rounds were read. */
const { handle, shared } = workerData as { handle: ReaderHandle; shared: Int32Array }
const reader = openReader(handle)
const range = { minTimeMs: 0, maxTimeMs: 1e15 }
let faults = 0
let newestRow = -1
while (Atomics.load(shared, 0) === 0) {
  const querier = reader.querier(range)
  const newest = new Map<string, number>()
  const lengths: number[] = []
  for (const column of querier.select([createMatcher('=~', '__name__', 'left|right|batch_.*')], range)) {
    const text = column.labels.join()
    const { length, values, timestampsMs } = column
    for (let i = 1; i < length; i++) if (!(timestampsMs[i]! > timestampsMs[i - 1]!)) faults++
    if (length > 0) newest.set(text, values[length - 1]!)
    if (column.labels[1]!.startsWith('batch_')) lengths.push(length)
    // Every value is its row's number, so all of them can be told right or wrong.
    for (let i = 0; i < length; i++) if (values[i] !== i) faults++
  }
  // The two series of a row end at the same sample, and so do those of a batch.
  for (const [text, value] of newest) {
    if (!text.includes('left')) continue
    if (newest.get(text.replace('left', 'right')) !== value) faults++
    newestRow = Math.max(newestRow, value)
  }
  if (new Set(lengths).size > 1) faults++
  const instant = { ...range, newestOnly: true }
  for (const column of querier.select([createMatcher('=', '__name__', 'left')], instant)) {
    if (column.values[column.length - 1] !== newest.get(column.labels.join())) faults++
  }
  querier.close()
  Atomics.add(shared, 1, 1)
}
reader.close()
parentPort!.postMessage({ faults, newestRow })
