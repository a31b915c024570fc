// Rows without a sample: they take a time, and nothing else; what stands beside them must not suffer.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Tsdb } from './index.ts'
import { dump, openStore, temporaryFolder, writeRow } from './testing/store.ts'

const MINUTE = 60_000
const START = 1_699_999_200_000
const BLOCK_MS = 20 * MINUTE

let folder: ReturnType<typeof temporaryFolder>
let store: Tsdb

beforeEach(async () => {
  folder = temporaryFolder()
  store = await openStore(join(folder.folder, '0'), { blockDurationMs: BLOCK_MS })
})

afterEach(async () => {
  await store.close()
  folder.remove()
})

test('a target that shows no series yet hides nothing of others with the layout of one that is gone', async () => {
  const first = store.openGroup(['instance', 'a'])
  const other = store.openGroup(['instance', 'b'])
  for (const writer of [first, other]) writer.addSeries([['__name__', 'up']])
  let nowMs = START
  for (const writer of [first, other]) writeRow(writer, nowMs, [[0, 1]])
  first.close()
  for (; nowMs < START + 3 * BLOCK_MS; nowMs += MINUTE) writeRow(other, nowMs + MINUTE, [[0, 1]])
  await store.maintain()
  const before = dump(store)
  // It takes over what is left of the first in memory.
  writeRow(store.openGroup(['instance', 'c']), nowMs + MINUTE, [])
  expect(dump(store)).toEqual(before)
})
