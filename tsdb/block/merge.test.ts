import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Tsdb } from '../index.ts'
import { dump, openStore, STALE_BITS, temporaryFolder, writeRow } from '../testing/store.ts'
import { readBlockMeta, rewriteBlockMeta } from './block-folder.ts'
import { planMerge } from './merge-plan.ts'
import type { BlockMeta } from './meta.ts'

const HOUR = 3_600_000
const START = 1_699_963_200_000 // A multiple of 18 hours.

/** Two targets with shared and own series, gaps, markers and doubles; a sample each minute. */
function fill(store: Tsdb, fromHour: number, toHour: number): void {
  for (const [t, instance] of ['a', 'b'].entries()) {
    const writer = store.openGroup(['instance', instance, 'job', 'x'])
    writer.addSeries([
      ['__name__', 'counter'],
      ['__name__', 'double'],
      ['__name__', 'gaps'],
      ['__name__', 'twin', 'le', '1'],
      ['__name__', 'twin', 'le', '2'],
    ])
    for (let minute = fromHour * 60; minute < toHour * 60; minute++) {
      const noise = (minute * 7919 + t) % 100
      writeRow(writer, START + minute * 60_000, [
        [0, minute * 3 + noise],
        [1, BigInt.asUintN(64, new BigInt64Array(new Float64Array([Math.sin(minute)]).buffer)[0]!)],
        [2, minute % 50 === 0 ? 'stale' : minute % 50 < 10 ? 'absent' : noise],
        [3, minute * 10 + noise],
        [4, minute * 10 + noise + 5000],
      ])
    }
    writer.close()
  }
}

const blockFolders = (folder: string): string[] => readdirSync(folder).filter((name) => name.length === 26)
const hours = (store: Tsdb): number[][] =>
  store.blocks().map((block) => [(block.minTime - START) / HOUR, (block.maxTime - START) / HOUR])

test('merging: three blocks become one, twice over, and every sample stays what it was', async () => {
  const { folder, remove } = temporaryFolder()
  const other = temporaryFolder()
  const store = await openStore(folder)
  // Ten percent of this is less than three windows: nothing is merged.
  const reference = await openStore(other.folder, { retentionMs: 40 * HOUR })
  for (const one of [store, reference]) {
    fill(one, 0, 24)
    await one.maintain()
  }
  expect(hours(reference).map(([from]) => from)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
  expect(hours(store)).toEqual([
    [0, 18],
    [18, 20],
    [20, 22],
  ])
  const merged = dump(store)
  expect(merged).toEqual(dump(reference))
  expect(merged['gaps{instance="a", job="x"}']!.filter(([, bits]) => bits === STALE_BITS)).toHaveLength(
    Math.ceil((24 * 60) / 50),
  )
  const [block] = store.blocks()
  expect(block!.compaction.level).toBe(3)
  expect(block!.compaction.sources).toHaveLength(9)
  expect(block!.stats.numSeries).toBe(10)
  expect(block!.stats.numSamples).toBe(sampleCount(reference, 0, 18))
  expect(blockFolders(folder)).toHaveLength(3)
  await store.close()
  const again = await openStore(folder)
  expect(dump(again)).toEqual(merged)
  await again.close()
  await reference.close()
  remove()
  other.remove()
})

const sampleCount = (store: Tsdb, fromHour: number, toHour: number): number =>
  store
    .blocks()
    .filter(({ minTime, maxTime }) => minTime >= START + fromHour * HOUR && maxTime <= START + toHour * HOUR)
    .reduce((sum, { stats }) => sum + stats.numSamples, 0)

test('merging: parts of long columns are found by time', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { blockDurationMs: 24 * HOUR })
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'n']])
  // More than two segments of 8192 rows after the merge.
  for (let i = 0; i < 5 * 1440 * 4; i++) writeRow(writer, START + i * 15_000, [[0, i % 1000]])
  writer.close()
  await store.maintain()
  expect(store.blocks().map(({ compaction }) => compaction.level)).toContain(2)
  const at = START + 9000 * 15_000
  const found = dump(store, [], { minTimeMs: at, maxTimeMs: at + 60_000 })
  expect(found['n{job="x"}']!.map(([time]) => time)).toEqual([0, 1, 2, 3, 4].map((i) => at + i * 15_000))
  expect(dump(store)['n{job="x"}']).toHaveLength(5 * 1440 * 4)
  await store.close()
  remove()
})

test('merging: blocks that overlap become one; of two samples of one time the later block has its way', async () => {
  const { folder, remove } = temporaryFolder()
  const other = temporaryFolder()
  const write = async (dataDir: string, offset: number, everyMinutes: number): Promise<void> => {
    const store = await openStore(dataDir)
    const writer = store.openGroup(['job', 'x'])
    writer.addSeries([['__name__', 'n']])
    for (let minute = 0; minute < 200; minute += everyMinutes) {
      writeRow(writer, START + minute * 60_000, [[0, minute + offset]])
    }
    await store.maintain()
    await store.close()
  }
  await write(folder, 0, 2)
  await write(other.folder, 5000, 3)
  const [later] = blockFolders(other.folder)
  const name = '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'
  cpSync(join(other.folder, later!), join(folder, name), { recursive: true })
  await rewriteBlockMeta(join(folder, name), { ...readBlockMeta(join(folder, name)), ulid: name })
  const store = await openStore(folder)
  const before = dump(store)
  const minutes = before['n{job="x"}']!.map(([time]) => (time - START) / 60_000).filter((minute) => minute < 120)
  expect(minutes).toEqual([...Array(120).keys()].filter((minute) => minute % 2 === 0 || minute % 3 === 0))
  await store.maintain()
  expect(store.blocks()).toHaveLength(1)
  expect(dump(store)).toEqual(before)
  const values = new Float64Array(BigUint64Array.from(before['n{job="x"}']!, ([, bits]) => bits).buffer)
  expect(Array.from(values.slice(0, 4))).toEqual([5000, 2, 5003, 4])
  await store.close()
  remove()
  other.remove()
})

test('merging: a process that ends before the old blocks are deleted finds nothing twice', async () => {
  const { folder, remove } = temporaryFolder()
  const copies = temporaryFolder()
  let store = await openStore(folder, { retentionMs: 40 * HOUR })
  fill(store, 0, 10)
  await store.maintain()
  await store.close()
  for (const ulid of blockFolders(folder)) cpSync(join(folder, ulid), join(copies.folder, ulid), { recursive: true })
  store = await openStore(folder)
  await store.maintain()
  const merged = dump(store)
  expect(blockFolders(folder)).toHaveLength(2)
  await store.close()
  for (const ulid of blockFolders(copies.folder)) {
    cpSync(join(copies.folder, ulid), join(folder, ulid), { recursive: true })
  }
  // And half a block, as one that ended while it wrote leaves behind.
  mkdirSync(join(folder, '7ZZZZZZZZZZZZZZZZZZZZZZZZZ.tmp-for-creation'))
  expect(blockFolders(folder)).toHaveLength(5)
  store = await openStore(folder)
  expect(blockFolders(folder)).toHaveLength(2)
  expect(readdirSync(folder).some((name) => name.includes('tmp'))).toBe(false)
  expect(dump(store)).toEqual(merged)
  await store.close()
  remove()
  copies.remove()
})

test('merging: a damaged block stays with the others and is set aside', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder, { retentionMs: 40 * HOUR })
  fill(store, 0, 10)
  await store.maintain()
  const [damaged] = store.blocks()
  await store.close()
  const data = join(folder, damaged!.ulid, 'data')
  const bytes = readFileSync(data)
  bytes[10]! ^= 1
  writeFileSync(data, bytes)
  store = await openStore(folder)
  await store.maintain()
  await store.maintain()
  expect(hours(store)).toEqual([
    [2, 4],
    [4, 6],
    [6, 8],
  ])
  expect(existsSync(join(folder, 'quarantine', damaged!.ulid))).toBe(true)
  expect(readdirSync(folder).some((name) => name.includes('tmp'))).toBe(false)
  await store.close()
  remove()
})

test('merging: a block of a newer version stops the start and stays where it is', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 4)
  await store.maintain()
  const { ulid } = store.blocks()[0]!
  await store.close()
  const index = join(folder, ulid, 'index')
  const bytes = readFileSync(index)
  bytes.writeUInt32LE(99, 4)
  writeFileSync(index, bytes)
  await expect(openStore(folder)).rejects.toMatchObject({ code: 'ERR_TSDB_NEWER_FORMAT' })
  expect(existsSync(index)).toBe(true)
  remove()
})

test('merge plan: overlaps first, then full ranges, then ranges that time has left behind; never the newest', () => {
  const meta = (from: number, to: number): BlockMeta => ({
    ulid: `${from}-${to}`,
    minTime: from * HOUR,
    maxTime: to * HOUR,
    stats: { numSamples: 0, numSeries: 0, numChunks: 0, numBytes: 0 },
    compaction: { level: 1, sources: [] },
    version: 1,
  })
  const check = (ranges: [number, number][], want: string[] | undefined): void => {
    const plan = planMerge(
      ranges.map(([from, to]) => meta(from, to)),
      { windowMs: 2 * HOUR, rangeMaxMs: 60 * HOUR },
    )
    expect(plan?.map(({ ulid }) => ulid)).toEqual(want)
  }
  check([], undefined)
  check([[0, 2]], undefined)
  check(
    [
      [0, 2],
      [2, 4],
      [4, 6],
    ],
    undefined,
  )
  check(
    [
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 8],
    ],
    ['0-2', '2-4', '4-6'],
  )
  check(
    [
      [0, 2],
      [4, 6],
      [6, 8],
    ],
    ['0-2', '4-6'],
  )
  check(
    [
      [0, 2],
      [2, 4],
      [8, 10],
    ],
    ['0-2', '2-4'],
  )
  check(
    [
      [2, 4],
      [4, 6],
      [6, 8],
    ],
    ['2-4', '4-6'],
  )
  check(
    [
      [0, 6],
      [6, 12],
      [12, 18],
      [18, 20],
    ],
    ['0-6', '6-12', '12-18'],
  )
  check(
    [
      [0, 54],
      [54, 108],
      [108, 162],
      [162, 164],
    ],
    undefined,
  )
  check(
    [
      [0, 2],
      [1, 3],
      [2, 4],
      [6, 8],
    ],
    ['0-2', '1-3', '2-4'],
  )
  check(
    [
      [0, 2],
      [2, 4],
      [2, 4],
    ],
    ['2-4', '2-4'],
  )
})
