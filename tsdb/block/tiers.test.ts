import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { analyzeStore, listBlocks, repairStore, type Tsdb, type TsdbOptions, verifyStore } from '../index.ts'
import { silentLogger } from '../../lib/log.ts'
import { retentionOf } from '../maintenance/compactor.ts'
import { openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { readWindow, sumOf } from '../testing/windows.ts'
import type { BlockMeta } from './meta.ts'
import { planTier } from './tier-plan.ts'
import { verifyBlock } from './verify.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const START = 1_699_963_200_000 // A multiple of 18 hours.
const TIER: Partial<TsdbOptions> = {
  retentionMs: 20 * HOUR,
  tiers: [{ resolutionMs: HOUR, retentionMs: 1000 * HOUR }],
}

/** `one` and `two` of jobs `x` and `debug`, a sample each minute: its number. */
async function fill(store: Tsdb, fromHour: number, toHour: number): Promise<void> {
  for (const job of ['x', 'debug']) {
    const writer = store.openGroup(['job', job])
    writer.addSeries([
      ['__name__', 'one'],
      ['__name__', 'two'],
    ])
    for (let minute = fromHour * 60; minute < toHour * 60; minute++) {
      writeRow(writer, START + minute * MINUTE + 1, [
        [0, minute],
        [1, minute],
      ])
    }
    writer.close()
  }
  await store.maintain()
  await store.maintain()
}

const tiersOf = (blocks: readonly BlockMeta[]): BlockMeta[] => blocks.filter(({ resolution }) => resolution === HOUR)
const countsOf = (store: Tsdb, fromHour: number, toHour: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries(readWindow(store, 'count_over_time', START + fromHour * HOUR, START + toHour * HOUR)).map(
      ([name, { counts }]) => [name, sumOf(counts)],
    ),
  )
const ONE_X = '__name__,one,job,x'
const TWO_X = '__name__,two,job,x'

describe('a store with summaries', () => {
  const { folder, remove } = temporaryFolder()
  let store: Tsdb

  beforeAll(async () => {
    store = await openStore(folder, TIER)
    await fill(store, 0, 26)
    await fill(store, 26, 50)
  }, 60_000)

  afterAll(async () => {
    await store.close()
    remove()
  })

  test('is listed, measured, verified and taken along', async () => {
    const blocks = listBlocks(folder)
    expect(tiersOf(blocks)[0]).toMatchObject({ minTime: START, maxTime: START + 18 * HOUR, resolution: HOUR })
    const analysis = analyzeStore(store, folder, 10)
    expect(analysis.series).toBe(4)
    expect(analysis.summaryBytes).toBe(sumOf(tiersOf(blocks).map(({ stats }) => stats.numBytes)))
    const raw = blocks.filter(({ resolution }) => resolution === undefined)
    expect(analysis.samples).toBe(sumOf(raw.map(({ stats }) => stats.numSamples)))
    const snapshot = join(folder, 'snapshots', await store.snapshot())
    const copy = await openStore(snapshot, TIER)
    expect(countsOf(copy, 0, 50)).toEqual(countsOf(store, 0, 50))
    await copy.close()
    expect((await verifyStore(snapshot)).faults).toEqual([])
  })

  test('damage of summaries is found, and set aside by a repair', async () => {
    const other = temporaryFolder()
    const target = join(other.folder, 'data')
    cpSync(join(folder, 'snapshots', readdirSync(join(folder, 'snapshots'))[0]!), target, { recursive: true })
    const { ulid } = tiersOf(listBlocks(target))[0]!
    const file = join(target, ulid, 'data')
    const bytes = readFileSync(file)
    bytes[bytes.length >>> 1]! ^= 1
    writeFileSync(file, bytes)
    expect((await verifyStore(target)).faults.map(({ place }) => place)).toEqual([ulid])
    expect((await repairStore(target, silentLogger)).left).toEqual([])
    expect(listBlocks(target).map((meta) => meta.ulid)).not.toContain(ulid)
    other.remove()
  })

  test('what is deleted is gone from summaries, before and after it is cleaned out, by whole stretches', async () => {
    const matchers = [createMatcher('=', '__name__', 'one'), createMatcher('=', 'job', 'x')]
    // From the middle of the fourth hour to the middle of the sixth, of which there are summaries only.
    await store.deleteSeries(matchers, { minTimeMs: START + 3.5 * HOUR, maxTimeMs: START + 5.5 * HOUR })
    for (let round = 0; round < 2; round++) {
      expect(countsOf(store, 0, 10)).toMatchObject({ [ONE_X]: 7 * 60, [TWO_X]: 10 * 60 })
      expect(readWindow(store, 'max_over_time', START + 3 * HOUR, START + 6 * HOUR)[ONE_X]).toBeUndefined()
      const times = readWindow(store, 'last_over_time', START, START + 10 * HOUR)[ONE_X]!.times
      expect(times.filter((time) => time >= START + 3.5 * HOUR && time <= START + 5.5 * HOUR)).toEqual([])
      await store.cleanTombstones()
    }
  })
})

test('samples of selectors that are kept for a shorter time go from summaries, too', { timeout: 90_000 }, async () => {
  const { folder, remove } = temporaryFolder()
  const matchers = [createMatcher('=', 'job', 'debug')]
  const store = await openStore(folder, { ...TIER, retentionRules: [{ matchers, retentionMs: 24 * HOUR }] })
  await fill(store, 0, 26)
  await fill(store, 26, 50)
  const counts = countsOf(store, 0, 18)
  expect(counts).toEqual({ [ONE_X]: 18 * 60, [TWO_X]: 18 * 60 })
  expect(Object.keys(countsOf(store, 30, 48))).toHaveLength(4)
  await store.close()
  remove()
})

test('retention: summaries go in their own time, by size with all the rest, and after the samples of the same time', {
  timeout: 90_000,
}, async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { ...TIER, tiers: [{ resolutionMs: HOUR, retentionMs: 30 * HOUR }] })
  await fill(store, 0, 26)
  await fill(store, 26, 60)
  // Blocks go as a whole, once their newest sample is old enough: 58 - 30.
  expect(Math.min(...tiersOf(store.blocks()).map(({ maxTime }) => maxTime))).toBeGreaterThan(START + 28 * HOUR)
  const before = store.blocks()
  const first = before[0]!
  const samplesFirst = before.filter(({ minTime }) => minTime === before.at(-1)!.minTime)
  expect(samplesFirst[0]!.resolution).toBeUndefined()
  const bytes = sumOf(before.map(({ stats }) => stats.numBytes))
  store.configure({ ...TIER, retentionMs: 20 * HOUR, retentionBytes: bytes - 1 })
  await store.maintain()
  expect(store.blocks()).not.toContainEqual(first)
  await store.close()
  remove()
})

test('samples are not deleted before they are summarised', { timeout: 90_000 }, async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { retentionMs: 1000 * HOUR })
  await fill(store, 0, 50)
  expect(tiersOf(store.blocks())).toEqual([])
  store.configure({ ...TIER, retentionMs: 20 * HOUR })
  for (let round = 0; round < 3; round++) await store.maintain()
  expect(store.blocks().some(({ minTime, resolution }) => minTime === START && resolution === undefined)).toBe(false)
  expect(countsOf(store, 0, 40)[ONE_X]).toBe(40 * 60)
  await store.close()
  remove()
})

test('flipped bits of a sum section are found', { timeout: 90_000 }, async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  await fill(store, 0, 24)
  const { ulid } = store.blocks().find(({ summary }) => summary === HOUR)!
  await store.close()
  const block = join(folder, ulid)
  expect(verifyBlock(block)).toBeUndefined()
  for (const name of ['sum.index', 'sum.data']) {
    const whole = readFileSync(join(block, name))
    for (let bit = 0; bit < whole.length * 8; bit += 29) {
      whole[bit >>> 3]! ^= 1 << (bit & 7)
      writeFileSync(join(block, name), whole)
      expect(verifyBlock(block), `${name}, bit ${bit}`).toBeTypeOf('string')
      whole[bit >>> 3]! ^= 1 << (bit & 7)
    }
    writeFileSync(join(block, name), whole)
  }
  remove()
})

test('sum sections: what was deleted meanwhile is not answered from them', { timeout: 90_000 }, async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  await fill(store, 0, 24)
  expect(readWindow(store, 'max_over_time', START, START + 16 * HOUR)[ONE_X]!.values.length).toBeLessThan(100)
  const range = { minTimeMs: START + 9 * HOUR, maxTimeMs: START + 9 * HOUR + 10 * MINUTE }
  await store.deleteSeries([createMatcher('=', '__name__', 'one')], range)
  for (let round = 0; round < 2; round++) {
    expect(countsOf(store, 0, 16)).toMatchObject({ [ONE_X]: 16 * 60 - 10, [TWO_X]: 16 * 60 })
    await store.cleanTombstones()
  }
  expect(readWindow(store, 'max_over_time', START, START + 16 * HOUR)[ONE_X]!.values.length).toBeLessThan(100)
  await store.close()
  remove()
})

test('sum sections: a sample that is written again changes nothing', { timeout: 90_000 }, async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { outOfOrderTimeWindowMs: 100 * HOUR })
  await fill(store, 0, 26)
  const before = readWindow(store, 'max_over_time', START, START + 16 * HOUR)[ONE_X]!
  expect(before.values.length).toBeLessThan(100)
  // The last of an hour, for which its summary stands.
  const minute = 5 * 60 - 1
  const appender = store.appender({ stream: 'remote' })
  appender.append(undefined, ONE_X.split(','), START + minute * MINUTE + 1, minute)
  await appender.commit()
  for (let round = 0; round < 2; round++) {
    expect(countsOf(store, 0, 16)).toMatchObject({ [ONE_X]: 16 * 60, [TWO_X]: 16 * 60 })
    const { values } = readWindow(store, 'sum_over_time', START, START + 16 * HOUR)[ONE_X]!
    expect(sumOf(values)).toBe((16 * 60 * (16 * 60 - 1)) / 2)
    await store.maintain()
  }
  await store.close()
  remove()
})

describe('which samples are summarised next', () => {
  const tier = { resolutionMs: HOUR, retentionMs: 1000 * HOUR }
  const block = (
    ulid: string,
    fromHour: number,
    toHour: number,
    sources: string[],
    resolution?: number,
  ): BlockMeta => ({
    ulid,
    minTime: fromHour * HOUR,
    maxTime: toHour * HOUR,
    stats: { numSamples: 1, numSeries: 1, numChunks: 1, numBytes: 1 },
    compaction: { level: 2, sources },
    ...(resolution === undefined ? {} : { resolution }),
    version: 1,
  })
  const plan = (...metas: BlockMeta[]): string[][] | undefined => {
    const found = planTier(metas, tier, () => true)
    return found && [found.parents.map(({ ulid }) => ulid), found.replaced.map(({ ulid }) => ulid)]
  }

  test('the oldest that are not; nothing when all are', () => {
    const blocks = [block('A', 0, 6, ['a']), block('B', 6, 12, ['b'])]
    expect(plan(...blocks)).toEqual([['A'], []])
    expect(plan(...blocks, block('T', 0, 6, ['a'], HOUR))).toEqual([['B'], []])
    expect(plan(...blocks, block('T', 0, 12, ['a', 'b'], HOUR))).toBeUndefined()
    // Merged since.
    expect(plan(block('C', 0, 12, ['a', 'b']), block('T', 0, 12, ['a', 'b'], HOUR))).toBeUndefined()
    // Another tier.
    expect(plan(block('A', 0, 6, ['a']), block('T', 0, 6, ['a'], 300_000))).toEqual([['A'], []])
  })

  test('samples that came later have their time summarised again, from all samples of it', () => {
    const late = block('M', 0, 6, ['a', 'late'])
    expect(plan(late, block('B', 6, 12, ['b']), block('T', 0, 12, ['a', 'b'], HOUR))).toEqual([['M', 'B'], ['T']])
    // Some of the samples are gone: what was made of them stays, and nothing is counted twice.
    expect(plan(late, block('T', 0, 12, ['a', 'b'], HOUR))).toBeUndefined()
    expect(plan(block('L', 0, 2, ['late']), block('T', 0, 12, ['a', 'b'], HOUR))).toEqual([['L'], []])
  })
})

test('samples that are brought in for a time of which there are summaries only are summarised beside them', {
  timeout: 90_000,
}, async () => {
  const { folder, remove } = temporaryFolder()
  const other = temporaryFolder()
  let store = await openStore(folder, TIER)
  await fill(store, 0, 26)
  await fill(store, 26, 50)
  const before = countsOf(store, 0, 10)
  await store.close()
  const source = await openStore(other.folder)
  const writer = source.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'three']])
  for (let minute = 0; minute < 240; minute++) writeRow(writer, START + 2 * HOUR + minute * MINUTE, [[0, minute]])
  writer.close()
  await source.maintain()
  const { ulid } = source.blocks()[0]!
  await source.close()
  cpSync(join(other.folder, ulid), join(folder, ulid), { recursive: true })
  store = await openStore(folder, TIER)
  for (let round = 0; round < 3; round++) await store.maintain()
  expect(store.blocks().map((block) => block.ulid)).not.toContain(ulid)
  expect(countsOf(store, 0, 10)).toEqual({ ...before, '__name__,three,job,x': 120 })
  await store.close()
  remove()
  other.remove()
})

test('tiers: what is not configured any more is kept as long as samples are', () => {
  const settings = { retentionMs: 10, tiers: [{ resolutionMs: 5, retentionMs: 99 }] }
  expect([undefined, 5, 7].map((resolutionMs) => retentionOf(settings, resolutionMs))).toEqual([10, 99, 10])
})
