import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { columnKernels, createKernelMemory, instantiateKernels, rowKernels } from '../../kernels/index.ts'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Head } from '../head/head.ts'
import { HeadMemory } from '../memory/head-memory.ts'
import { temporaryFolder, writeRow } from '../testing/store.ts'
import { WalWriter } from '../wal/wal-writer.ts'
import { LightSealer } from './light-sealer.ts'
import type { SealAnswer, SealRequest } from './protocol.ts'
import { WorkerHandle } from './worker-handle.ts'

const MEMORY_BYTES = 16 << 20
const ROWS = 30

test('what is sealed on the main thread is, bit for bit, what the worker makes of it', async () => {
  const { folder, remove } = temporaryFolder()
  const shared = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES })
  const memory = new HeadMemory(shared, MEMORY_BYTES)
  const instance = instantiateKernels(shared)
  const head = new Head({
    memory,
    kernels: rowKernels(instance),
    columns: columnKernels(instance),
    windowMs: 7_200_000,
    onClosed: () => undefined,
  })
  const limits = { firstSegment: 1, segmentBytesMax: 1 << 30, backlogBytesMax: 1 << 30 }
  const clock = new ManualClock(0)
  head.openLog(new WalWriter({ memory, folder, clock, logger: silentLogger, ...limits, onSync: () => undefined }))
  const worker = new WorkerHandle(memory, 0, silentLogger)
  try {
    for (let i = 0; i < 3; i++) {
      const writer = head.openGroup(['instance', `i${i}`])
      writer.addSeries([
        ['__name__', 'counter'],
        ['__name__', 'gauge'],
      ])
      for (let row = 0; row < ROWS; row++) {
        // The second group holds no sample at all.
        const cells: [number, number | 'absent'][] =
          i === 1
            ? [[0, 'absent']]
            : [
                [0, row * i],
                [1, Math.sin(row) * 100],
              ]
        writeRow(writer, 1000 * row, cells)
      }
    }
    const groups = [...head.groups.values()]
    for (const group of groups) group.closeRows()
    const request = (name: string): SealRequest => {
      mkdirSync(join(folder, name))
      const rowsOf = groups.map((group) => ({ group: group.id, page: group.pending[0]!.pointer }))
      const sealGroups = rowsOf.map((rows) => ({ ...rows, rowCount: ROWS, positionCount: 2 }))
      return { folder: join(folder, name), file: 1, windowStartMs: 0, groups: sealGroups }
    }
    const here = await new LightSealer(memory.views).seal(request('here'))
    const there = await worker.call<SealAnswer>('seal', request('there'))
    expect(here.chunks.map((chunk) => chunk !== undefined)).toEqual([true, false, true])
    expect(here).toEqual(there)
    const [file] = readdirSync(join(folder, 'here'))
    expect(readFileSync(join(folder, 'here', file!))).toEqual(readFileSync(join(folder, 'there', file!)))
  } finally {
    await worker.close()
    remove()
  }
})

test('a large group, or many, are left to the worker', () => {
  const memory = new HeadMemory(createKernelMemory({ initialBytes: 1 << 20, maximumBytes: 1 << 20 }), 1 << 20)
  const sealer = new LightSealer(memory.views)
  const group = (positionCount: number) => ({ group: 1, page: 0, rowCount: 120, positionCount })
  const isLight = (count: number, positionCount: number): boolean =>
    sealer.isLight(Array.from({ length: count }, () => group(positionCount)))
  expect(isLight(10, 507)).toBe(true)
  expect(isLight(1, 20_000)).toBe(false)
  expect(isLight(64, 507)).toBe(false)
  expect(isLight(64, 20)).toBe(true)
})
