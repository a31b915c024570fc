import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { openReader, type Tsdb } from '../index.ts'
import { dump, openStore, temporaryFolder, writeRow } from '../testing/store.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
const START = 1_699_999_200_000

/** Two series of one target, a sample each minute. */
function fill(store: Tsdb, fromMinute: number, toMinute: number): void {
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([
    ['__name__', 'a'],
    ['__name__', 'b'],
  ])
  for (let minute = fromMinute; minute < toMinute; minute++) {
    writeRow(writer, START + minute * MINUTE, [
      [0, minute],
      [1, minute],
    ])
  }
  writer.close()
}

const minutesOf = (store: Tsdb, name: string): number[] =>
  (dump(store)[`${name}{job="x"}`] ?? []).map(([time]) => (time - START) / MINUTE)

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const between = (from: number, to: number) => ({ minTimeMs: START + from * MINUTE, maxTimeMs: START + to * MINUTE })

test('deletion: hides samples in blocks, chunks and open rows at once and after a restart; others stay', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder)
  // Blocks of two hours, then chunks, then open rows.
  fill(store, 0, 500)
  await store.maintain()
  expect(store.blocks()).toHaveLength(3)
  await store.deleteSeries([createMatcher('=', '__name__', 'a'), createMatcher('=~', 'job', 'x|y')], between(100, 480))
  const left = [...range(0, 100), ...range(481, 500)]
  expect(minutesOf(store, 'a')).toEqual(left)
  expect(minutesOf(store, 'b')).toEqual(range(0, 500))
  await store.close()
  store = await openStore(folder)
  expect(minutesOf(store, 'a')).toEqual(left)
  expect(minutesOf(store, 'b')).toEqual(range(0, 500))
  await store.close()
  remove()
})

test('deletion: what comes later is not meant, even in the range', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 30)
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], { minTimeMs: -1e15, maxTimeMs: 1e15 })
  expect(minutesOf(store, 'a')).toEqual([])
  fill(store, 30, 40)
  expect(minutesOf(store, 'a')).toEqual(range(30, 40))
  await store.close()
  remove()
})

test('deletion: a series without samples left is not listed, and the newest value is the one before', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 30)
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const whole = between(0, 1000)
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], between(20, 29))
  let querier = reader.querier(whole)
  const hints = { ...between(0, 29), newestOnly: true }
  const newest = [...querier.select([createMatcher('=', '__name__', 'a')], hints)].map((column) => [
    column.timestampsMs[column.length - 1],
    column.values[column.length - 1],
  ])
  expect(newest).toEqual([[START + 19 * MINUTE, 19]])
  expect(querier.labelValues('__name__', [], between(21, 29))).toEqual(['b'])
  querier.close()
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], whole)
  querier = reader.querier(whole)
  expect(querier.series([], whole)).toHaveLength(1)
  expect(querier.labelValues('__name__', [], whole)).toEqual(['b'])
  querier.close()
  reader.close()
  detach()
  await store.close()
  remove()
})

test('deletion: cleaning rewrites the blocks that hold hidden samples, and forgets the deletion', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder, { retentionMs: 40 * HOUR })
  fill(store, 0, 500)
  await store.maintain()
  const before = store.blocks()
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], between(130, 220))
  await store.deleteSeries([createMatcher('=', '__name__', 'nobody')], between(0, 100))
  await store.cleanTombstones()
  const after = store.blocks()
  expect([before[0]!.ulid, before[2]!.ulid]).toEqual([after[0]!.ulid, after[2]!.ulid])
  expect(after[1]!.ulid).not.toBe(before[1]!.ulid)
  expect(after[1]!.stats.numSamples).toBe(240 - 91)
  await store.maintain()
  expect(readdirSync(folder).filter((name) => name.length === 26)).toHaveLength(3)
  const left = [...range(0, 130), ...range(221, 500)]
  expect(minutesOf(store, 'a')).toEqual(left)
  // A deletion that came before does not touch what is written later in its place.
  await store.deleteSeries([createMatcher('=', '__name__', 'b')], between(0, 119))
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], between(0, 119))
  await store.cleanTombstones()
  expect(store.blocks().map(({ ulid }) => ulid)).toEqual([after[1]!.ulid, after[2]!.ulid])
  await store.close()
  store = await openStore(folder)
  expect(minutesOf(store, 'b')).toEqual(range(120, 500))
  await store.close()
  remove()
})

test('deletion: blocks that are built or merged later do without the deleted samples', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 500)
  await store.maintain()
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], between(100, 450))
  fill(store, 500, 800)
  await store.maintain()
  const left = [...range(0, 100), ...range(451, 800)]
  expect(minutesOf(store, 'a')).toEqual(left)
  const samples = store.blocks().reduce((sum, { stats }) => sum + stats.numSamples, 0)
  const endMinute = (store.blocks().at(-1)!.maxTime - START) / MINUTE
  expect(samples).toBe(endMinute + left.filter((minute) => minute < endMinute).length)
  await store.close()
  remove()
})

test('deletion: a damaged list stops the start instead of showing what was deleted', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 30)
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], between(0, 30))
  await store.close()
  const file = join(folder, 'tombstones')
  const bytes = readFileSync(file)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(file, bytes)
  await expect(openStore(folder)).rejects.toMatchObject({ code: 'ERR_TSDB_CORRUPTION' })
  remove()
})

test('snapshot: a data folder with the same samples, head and deletions included, that can be gone on with', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  fill(store, 0, 500)
  await store.maintain()
  await store.deleteSeries([createMatcher('=', '__name__', 'a')], between(100, 450))
  const all = dump(store)
  const name = await store.snapshot()
  expect(name).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{16}$/)
  const blocksOnly = join(folder, 'snapshots', await store.snapshot({ skipHead: true }))
  fill(store, 500, 520)
  expect(minutesOf(store, 'b')).toEqual(range(0, 520))
  const copy = await openStore(join(folder, 'snapshots', name))
  expect(dump(copy)).toEqual(all)
  fill(copy, 500, 700)
  await copy.maintain()
  expect(minutesOf(copy, 'b')).toEqual(range(0, 700))
  await copy.close()
  const old = await openStore(blocksOnly)
  expect(minutesOf(old, 'b')).toEqual(range(0, 360))
  await old.close()
  expect(existsSync(join(folder, 'snapshots', `${name}.tmp-for-creation`))).toBe(false)
  await store.close()
  remove()
})

test('retention rules: series that are kept for a shorter time go with their block, others stay', async () => {
  const { folder, remove } = temporaryFolder()
  const retentionRules = [{ matchers: [createMatcher('=', '__name__', 'a')], retentionMs: 3 * HOUR }]
  let store = await openStore(folder, { retentionMs: 40 * HOUR, retentionRules })
  fill(store, 0, 800)
  await store.maintain()
  // The newest block ends at 720 minutes; those that ended at 540 or before are done without.
  expect(minutesOf(store, 'a')).toEqual(range(480, 800))
  expect(minutesOf(store, 'b')).toEqual(range(0, 800))
  const before = store.blocks().map(({ ulid }) => ulid)
  await store.maintain()
  expect(store.blocks().map(({ ulid }) => ulid)).toEqual(before)
  await store.close()
  store = await openStore(folder, { retentionMs: 40 * HOUR })
  expect(minutesOf(store, 'a')).toEqual(range(480, 800))
  await store.close()
  remove()
})
