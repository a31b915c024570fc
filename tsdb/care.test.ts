import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { OutOfBoundsError, OutOfOrderSampleError, DuplicateSampleError, type SeriesRef } from '../model/index.ts'
import { CorruptionError, DataFolderLockedError, LogWriteError, openReader, type Tsdb } from './index.ts'
import { dump, openStore, STALE_BITS, temporaryFolder, writeRow } from './testing/store.ts'

const HOUR = 3_600_000
const START = 1_699_999_200_000

/** Writes one series every minute from `fromHour` to `toHour`. */
function fill(store: Tsdb, fromHour: number, toHour: number): void {
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'n']])
  for (let t = START + fromHour * HOUR; t < START + toHour * HOUR; t += 60_000) {
    writeRow(writer, t, [[0, (t - START) / 60_000]])
  }
  writer.close()
}

const blockFolders = (folder: string): string[] => readdirSync(folder).filter((name) => name.length === 26)

test('lock: a second opening fails, and works after the first is closed', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  await expect(openStore(folder)).rejects.toThrow(DataFolderLockedError)
  await store.close()
  writeFileSync(join(folder, 'lock'), '999999999 1\n')
  const again = await openStore(folder)
  await again.close()
  expect(existsSync(join(folder, 'lock'))).toBe(false)
  remove()
})

test('retention: whole blocks go by age, by size, and their folders with them', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder, { retentionMs: 4 * HOUR })
  fill(store, 0, 12)
  await store.maintain()
  // Blocks end at 2, 4, … 10 hours; those that ended 4 hours or more before the newest are gone.
  expect(store.blocks().map((block) => (block.maxTime - START) / HOUR)).toEqual([8, 10])
  expect(blockFolders(folder)).toHaveLength(2)
  expect(dump(store)['n{job="x"}']![0]![0]).toBe(START + 6 * HOUR)
  await store.close()
  store = await openStore(folder, { retentionBytes: 1 })
  await store.maintain()
  expect(store.blocks()).toEqual([])
  expect(blockFolders(folder)).toEqual([])
  await store.close()
  remove()
})

test('retention: what is sealed and not in a block yet counts, too', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder)
  fill(store, 0, 11)
  await store.maintain()
  const blocks = store.blocks()
  const chunks = join(folder, 'chunks_head')
  const chunkBytes = readdirSync(chunks).reduce((sum, name) => sum + statSync(join(chunks, name)).size, 0)
  const blockBytes = blocks.reduce((sum, { stats }) => sum + stats.numBytes, 0)
  await store.close()
  store = await openStore(folder, { retentionBytes: Math.floor(blockBytes + chunkBytes / 2) })
  await store.maintain()
  expect(store.blocks().length).toBeLessThan(blocks.length)
  await store.close()
  remove()
})

test('retention: a block that a reader may still open stays until it has let go', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { retentionMs: 4 * HOUR })
  fill(store, 0, 4)
  await store.maintain()
  const { handle, detach } = store.attachReader()
  const range = { minTimeMs: START, maxTimeMs: START + HOUR }
  const reader = openReader(handle)
  const querier = reader.querier(range)
  fill(store, 4, 13)
  await store.maintain()
  const columns = [...querier.select([], range)].map((column) => column.length)
  expect(columns).toEqual([61])
  querier.close()
  await store.maintain()
  expect(blockFolders(folder)).toHaveLength(store.blocks().length)
  expect([...reader.querier(range).select([], range)]).toEqual([])
  reader.close()
  detach()
  await store.close()
  remove()
})

test('blocks: a damaged page fails the query that meets it, then the block is set aside and the rest works', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 6)
  await store.maintain()
  const [first, second] = store.blocks()
  const data = join(folder, first!.ulid, 'data')
  const bytes = readFileSync(data)
  bytes[3]! ^= 1
  writeFileSync(data, bytes)
  let caught: unknown
  try {
    dump(store)
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(CorruptionError)
  expect((caught as CorruptionError).file).toBe(data)
  expect((caught as CorruptionError).offset).toBe(0)
  await store.maintain()
  expect(store.blocks().map((block) => block.ulid)).toEqual([second!.ulid])
  expect(existsSync(join(folder, 'quarantine', first!.ulid))).toBe(true)
  expect(dump(store)['n{job="x"}']).toHaveLength(4 * 60)
  await store.close()
  remove()
})

test('blocks: one with a damaged index is set aside at the start', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder)
  fill(store, 0, 6)
  await store.maintain()
  const { ulid } = store.blocks()[0]!
  await store.close()
  const index = join(folder, ulid, 'index')
  const bytes = readFileSync(index)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(index, bytes)
  store = await openStore(folder)
  expect(store.blocks()).toHaveLength(1)
  expect(existsSync(join(folder, 'quarantine', ulid))).toBe(true)
  expect(dump(store)['n{job="x"}']).toHaveLength(4 * 60)
  await store.close()
  remove()
})

test('appender: order is kept per series, not per stream; batches are whole', async () => {
  const { folder, remove } = temporaryFolder()
  const clock = new ManualClock(1_000_000)
  const store = await openStore(folder, { clock, futureMaxMs: 600_000 })
  const appender = store.appender()
  const a = appender.append(undefined, ['__name__', 'a'], 1000, 1)
  appender.append(undefined, ['__name__', 'b'], 500, 2)
  expect(Object.keys(dump(store))).toEqual([])
  await appender.commit()
  const append = (ref: SeriesRef | undefined, name: string, timeMs: number, value: number) => () =>
    appender.append(ref, ['__name__', name], timeMs, value)
  expect(append(a, 'a', 999, 1)).toThrow(OutOfOrderSampleError)
  expect(append(a, 'a', 1000, 2)).toThrow(DuplicateSampleError)
  expect(append(undefined, 'a', 1_600_001, 1)).toThrow(OutOfBoundsError)
  expect(append(a, 'a', 1000, 1)()).toBe(a)
  // Older than the newest row of the stream, newer than its own series.
  append(undefined, 'b', 700, 3)()
  appender.appendStale(a, ['__name__', 'a'], 2000)
  await appender.commit()
  append(undefined, 'c', 3000, 1)()
  append(a, 'a', 3000, 9)()
  appender.rollback()
  append(a, 'a', 2500, Number.NaN)()
  await appender.commit()
  const all = dump(store)
  expect(Object.keys(all).sort()).toEqual(['a', 'b'])
  expect(all['a']!.map(([time]) => time)).toEqual([1000, 2000, 2500])
  expect(all['a']![1]![1]).toBe(STALE_BITS)
  expect(all['b']!.map(([time]) => time)).toEqual([500, 700])
  await store.close()
  remove()
})

test('groups: a row must be newer than the group; a group that was taken over is closed', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const first = store.openGroup(['job', 'x'])
  first.addSeries([['__name__', 'n']])
  writeRow(first, 1000, [[0, 1]])
  expect(() => writeRow(first, 1000, [[0, 2]])).toThrow(OutOfOrderSampleError)
  const second = store.openGroup(['job', 'x'])
  expect(second.positionCount).toBe(0)
  expect(() => writeRow(first, 2000, [[0, 2]])).toThrow('taken over')
  second.addSeries([['__name__', 'n']])
  expect(() => writeRow(second, 1000, [[0, 2]])).toThrow(OutOfOrderSampleError)
  writeRow(second, 2000, [[0, 3]])
  expect(dump(store)['n{job="x"}']!.map(([time]) => time)).toEqual([1000, 2000])
  await store.close()
  remove()
})

test('readers: label names, values, series and the top lists', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const writer = store.openGroup(['instance', 'i', 'job', 'x'])
  writer.addSeries([
    ['__name__', 'n', 'mode', 'idle'],
    ['__name__', 'n', 'instance', '', 'mode', 'user'],
    ['__name__', 'never', 'only', 'here'],
  ])
  writeRow(writer, 1000, [
    [0, 1],
    [1, 2],
  ])
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const range = { minTimeMs: 0, maxTimeMs: 2000 }
  const querier = reader.querier(range)
  expect(querier.labelNames([], range)).toEqual(['__name__', 'instance', 'job', 'mode'])
  expect(querier.labelValues('mode', [], range)).toEqual(['idle', 'user'])
  expect(querier.labelValues('instance', [], range)).toEqual(['i'])
  expect(querier.series([], range)).toHaveLength(2)
  expect(querier.labelNames([], { minTimeMs: 1500, maxTimeMs: 2000 })).toEqual([])
  const columns = [...querier.select([], range)]
  // Series of one target without gaps share their timestamps.
  expect(columns[0]!.timestampsMs).toBe(columns[1]!.timestampsMs)
  querier.close()
  expect(reader.cardinality(1).seriesCountByMetricName).toEqual([{ name: 'n', value: 2 }])
  expect(store.stats()).toMatchObject({ numSeries: 3, minTimeMs: 1000, maxTimeMs: 1000 })
  detach()
  await store.close()
  remove()
})

test('log: while it cannot be written commits fail and change nothing; afterwards nothing is missing', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { walSegmentBytesMax: 1 })
  const appender = store.appender()
  const commit = (timeMs: number): Promise<void> => {
    appender.append(undefined, ['__name__', 'n'], timeMs, timeMs)
    return appender.commit()
  }
  await commit(1)
  // Every record starts a segment, and there is no folder for it.
  renameSync(join(folder, 'wal'), join(folder, 'gone'))
  await expect(commit(2)).rejects.toThrow(LogWriteError)
  await expect(commit(3)).rejects.toThrow(LogWriteError)
  // The first is in memory and will be written; the second, made when the log was known to be broken, was taken back.
  expect(dump(store)['n']!.map(([time]) => time)).toEqual([1, 2])
  renameSync(join(folder, 'gone'), join(folder, 'wal'))
  await commit(4)
  await store.close()
  const again = await openStore(folder)
  expect(dump(again)['n']!.map(([time]) => time)).toEqual([1, 2, 4])
  await again.close()
  remove()
})

test('log: a disk that refuses writes makes the store read-only with one line; afterwards everything goes on by itself', async () => {
  const { folder, remove } = temporaryFolder()
  const registry = new Registry()
  const lines: string[] = []
  const logger = { ...silentLogger, error: (_: unknown, text: string) => void lines.push(text) }
  const clock = new ManualClock(START)
  const store = await openStore(folder, {
    clock,
    registry,
    logger: { ...logger, child: () => logger } as unknown as typeof silentLogger,
    walSegmentBytesMax: 1,
    walBacklogBytesMax: 20_000,
  })
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'n']])
  await store.flushed()
  renameSync(join(folder, 'wal'), join(folder, 'gone'))
  let rows = 0
  let refused: unknown
  for (; refused === undefined && rows < 5000; rows++) {
    try {
      writeRow(writer, START + rows, [[0, rows]])
    } catch (error) {
      refused = error
      rows--
    }
    await clock.advance(1)
  }
  expect(refused).toBeInstanceOf(LogWriteError)
  expect(await registry.metrics()).toContain('belltower_tsdb_read_only 1\n')
  expect(lines.filter((line) => line.startsWith('log cannot be written'))).toHaveLength(1)
  expect(lines.filter((line) => line.startsWith('no more rows'))).toHaveLength(1)
  renameSync(join(folder, 'gone'), join(folder, 'wal'))
  while ((await registry.metrics()).includes('belltower_tsdb_read_only 1\n')) {
    await clock.advance(1000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  writeRow(writer, START + rows, [[0, rows]])
  await store.close()
  const again = await openStore(folder)
  expect(dump(again)['n{job="x"}']!.map(([time]) => time - START)).toEqual(
    Array.from({ length: rows + 1 }, (_, i) => i),
  )
  await again.close()
  remove()
})

test('metrics: the names dashboards of Prometheus look for', async () => {
  const { folder, remove } = temporaryFolder()
  const registry = new Registry()
  const store = await openStore(folder, { registry })
  fill(store, 0, 1)
  const text = await registry.metrics()
  expect(text).toContain('prometheus_tsdb_head_series 1\n')
  expect(text).toContain('prometheus_tsdb_head_samples_appended_total{type="float"} 60\n')
  expect(text).toMatch(/prometheus_tsdb_wal_segment_current \d+\n/)
  await store.close()
  remove()
})
