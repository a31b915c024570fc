// Of samples of one series and time which one stays: in the head, after a restart, in blocks and in merged ones.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Registry } from '../lib/metrics.ts'
import { createMatcher } from '../model/index.ts'
import type { Tsdb } from './index.ts'
import { copyAsKilled, bitsOf, dump, openStore, STALE_BITS, temporaryFolder } from './testing/store.ts'

const MINUTE = 60_000
const START = 1_699_999_200_000
const OPTIONS = { blockDurationMs: 20 * MINUTE, outOfOrderTimeWindowMs: 70 * MINUTE }

type Samples = readonly (readonly [minute: number, value: number | 'stale'])[]

let dataDir: string
let remove: () => void
let store: Tsdb
let registry: Registry

beforeEach(async () => {
  const temporary = temporaryFolder()
  dataDir = join(temporary.folder, 'live')
  remove = temporary.remove
  registry = new Registry()
  store = await openStore(dataDir, { ...OPTIONS, registry })
})

afterEach(async () => {
  await store.close()
  remove()
})

async function append(name: string, samples: Samples): Promise<void> {
  const appender = store.appender({ stream: 'remote' })
  const labels = ['__name__', name]
  for (const [minute, value] of samples) {
    const timeMs = START + minute * MINUTE
    if (value === 'stale') appender.appendStale(undefined, labels, timeMs)
    else appender.append(undefined, labels, timeMs, value)
  }
  await appender.commit()
}

/** What a series has at some minute. */
function shown(name: string, minute: number): number | 'stale' | undefined {
  const bits = dump(store)[name]?.find(([timeMs]) => timeMs === START + minute * MINUTE)?.[1]
  if (bits === undefined || bits === STALE_BITS) return bits && 'stale'
  return new Float64Array(BigUint64Array.of(bits).buffer)[0]
}

async function reopen(): Promise<void> {
  await store.close()
  store = await openStore(dataDir, OPTIONS)
}

/** As if the process had died just now. */
async function kill(): Promise<void> {
  await store.flushed()
  const left = `${dataDir}-left`
  copyAsKilled(dataDir, left)
  await store.close()
  dataDir = left
  store = await openStore(dataDir, OPTIONS)
}

const minutes = (from: number, to: number): Samples =>
  Array.from({ length: to - from }, (_, i) => [from + i, from + i] as const)

async function counter(name: string): Promise<string | undefined> {
  const page = await registry.metrics()
  return page.split('\n').find((line) => line.startsWith(`prometheus_tsdb_${name} `))
}

test.each([
  ['reopened', reopen],
  ['killed', kill],
])('of late samples of one time the first stays while the head has it, also after it was %s', async (_, again) => {
  await append('a', minutes(0, 30))
  await append('a', [[2.5, 1]])
  await append('a', [[3.5, 'stale']])
  await append('a', [
    [1.5, 1],
    [2.5, 2],
    [3.5, 2],
    [4.5, 1],
    [4.5, 2],
  ])
  const check = (): void => {
    const values = [1.5, 2.5, 3.5, 4.5].map((minute) => shown('a', minute))
    expect(values).toEqual([1, 1, 'stale', 1])
  }
  check()
  await again()
  check()
  await append('a', [
    [1.5, 3],
    [2.5, 3],
    [3.5, 3],
    [4.5, 'stale'],
  ])
  check()
  // Of the next window: the rows before it are closed, and then sealed.
  await append('a', [[22.5, 1]])
  await store.maintain()
  expect(store.blocks()).toEqual([])
  await again()
  await append('a', [
    [1.5, 4],
    [2.5, 4],
  ])
  check()
})

test('a late sample replaces one in order, and one that is in a block already', async () => {
  await append('a', minutes(0, 30))
  await append('a', [[5, 50]])
  await append('a', [[5, 51]])
  expect(shown('a', 5)).toBe(50)
  await append('a', minutes(30, 60))
  await store.maintain()
  expect(store.blocks()).not.toEqual([])
  expect(shown('a', 5)).toBe(50)
  await append('a', [[5, 52]])
  await append('a', [[5, 53]])
  expect(shown('a', 5)).toBe(52)
  await append('a', minutes(60, 100))
  await store.maintain()
  expect(shown('a', 5)).toBe(52)
  await reopen()
  expect(shown('a', 5)).toBe(52)
})

test('a block that is written again without what was deleted keeps its place among others', async () => {
  await append('a', minutes(0, 60))
  await append('b', minutes(0, 60))
  await store.maintain()
  const order = (): string[] => store.blocks().map(({ ulid }) => ulid.slice(0, 10))
  const before = store.blocks()
  const orderBefore = order()
  await store.deleteSeries([createMatcher('=', '__name__', 'b')], { minTimeMs: START, maxTimeMs: START + 60 * MINUTE })
  await store.cleanTombstones()
  expect(store.blocks()).not.toEqual(before)
  expect(order()).toEqual(orderBefore)
})

test('a sender that repeats a late sample fills nothing', async () => {
  await append('a', minutes(0, 10))
  for (let round = 0; round < 20; round++) await append('a', [[2.5, 1]])
  expect(await counter('head_out_of_order_samples_appended_total')).toMatch(/ 1$/)
  expect(await counter('head_chunks')).toMatch(/ 2$/)
})

test('late samples of neighbouring series and of times 2^32 ms apart are not taken for one another', async () => {
  const days = 60 * 24 * 60
  await store.close()
  store = await openStore(dataDir, { ...OPTIONS, outOfOrderTimeWindowMs: days * MINUTE })
  const far = 2 ** 32 / MINUTE
  const names = Array.from({ length: 40 }, (_, i) => `s${i}`)
  for (const name of names) await append(name, [[far + 10, 1]])
  for (const [i, name] of names.entries()) {
    await append(name, [[1, i]])
    await append(name, [[1, -1]])
  }
  for (const [i, name] of names.entries()) {
    await append(name, [[far + 1, i + 100]])
    await append(name, [[far + 1, -1]])
    expect([shown(name, 1), shown(name, far + 1)]).toEqual([i, i + 100])
  }
})

test('blocks that are merged show the late sample, wherever its neighbours lie', async () => {
  await append('x', minutes(0, 11))
  // Of times at which the group of `x` is written already: a second group.
  await append('a', minutes(5, 20))
  // It begins behind the end of the first group, but not of the second.
  await append('a', [[12, 120]])
  expect(shown('a', 12)).toBe(120)
  await append('a', minutes(20, 100))
  await store.maintain()
  await append('a', minutes(100, 160))
  await store.maintain()
  expect(store.blocks().some(({ compaction }) => compaction.sources.length > 1)).toBe(true)
  expect(shown('a', 12)).toBe(120)
  expect(dump(store)['a']).toHaveLength(155)
  expect(dump(store)['a']!.at(-1)![1]).toBe(bitsOf(159))
})
