import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HeldTurns } from '../lib/held-turns.ts'
import type { Turns } from '../lib/index.ts'
import type { Labels } from '../model/index.ts'
import { openReader, type TsdbOptions, type TsdbReader } from './index.ts'
import { type EarlyReader, openReadEarly } from './testing/early-reader.ts'
import { copyAsKilled, dump, type Dump, dumpReader, openStore, temporaryFolder } from './testing/store.ts'

const WINDOW_MS = 60_000
const FIRST_MS = 1_700_000_040_000 // A multiple of the window.
const ROWS = 40
const STEP_MS = 10_000
const OPTIONS: Partial<TsdbOptions> = { blockDurationMs: WINDOW_MS }
/** Before it, everything is in blocks: the newest sample is half a window beyond. */
const BLOCKS_END_MS = FIRST_MS + 6 * WINDOW_MS

const series = (name: string): Labels => ['__name__', name, 'instance', 'a']

let folder: string
let remove: () => void
/** All that was ever written, and what of it is in blocks. */
let all: Dump
beforeEach(async () => {
  ;({ folder, remove } = temporaryFolder())
  const store = await openStore(join(folder, 'live'), OPTIONS)
  for (let row = 0; row < ROWS; row++) {
    // Of one commit: what a stop without goodbye leaves is whole.
    const appender = store.appender()
    appender.append(undefined, series('old'), FIRST_MS + row * STEP_MS, row)
    if (row > 36) appender.append(undefined, series('young'), FIRST_MS + row * STEP_MS, row)
    await appender.commit()
    if (row === 25) await store.maintain()
  }
  await store.maintain()
  await store.flushed()
  expect(Math.max(...store.blocks().map(({ maxTime }) => maxTime))).toBe(BLOCKS_END_MS)
  all = dump(store)
  // As after a kill: rows in the log, chunks, blocks.
  copyAsKilled(join(folder, 'live'), join(folder, 'killed'))
  await store.close()
})
afterEach(() => remove())

/** Opens the store that was killed, and reads it from the moment on when there are blocks. */
const open = (turns: Turns, dataDir = join(folder, 'killed')): EarlyReader => openReadEarly(dataDir, OPTIONS, turns)

const upTo = (samples: Dump, endMs: number): Dump =>
  Object.fromEntries(
    Object.entries(samples)
      .map(([name, list]) => [name, list.filter(([timeMs]) => timeMs < endMs)] as const)
      .filter(([, list]) => list.length > 0),
  )

async function stepsOfOpening(): Promise<number> {
  const turns = new HeldTurns(0)
  const opening = open(turns, join(folder, 'counted'))
  await opening.opened
  await opening.end()
  return turns.taken
}

test('wherever the reading of the head is held, blocks are read and the head is hidden; then everything is there', async () => {
  cpSync(join(folder, 'killed'), join(folder, 'counted'), { recursive: true })
  const steps = await stepsOfOpening()
  expect(steps).toBeGreaterThan(6)
  for (let step = 1; step <= steps; step++) {
    const dataDir = join(folder, `held-${step}`)
    cpSync(join(folder, 'killed'), dataDir, { recursive: true })
    const turns = new HeldTurns(step)
    const opening = open(turns, dataDir)
    await turns.held
    const { reader } = opening
    expect(dumpReader(reader), `step ${step}`).toEqual(upTo(all, BLOCKS_END_MS))
    expect(reader.takeMissing(), `step ${step}`).toBe(BLOCKS_END_MS)
    turns.goOn()
    await opening.opened
    expect(dumpReader(reader), `after step ${step}`).toEqual(all)
    expect(reader.takeMissing()).toBeUndefined()
    await opening.end()
  }
})

test('only who asks for what is not in blocks is told that something is missing', async () => {
  const turns = new HeldTurns(2)
  const opening = open(turns)
  await turns.held
  const { reader } = opening
  const missingOf = (minTimeMs: number, maxTimeMs: number, ask: 'select' | 'series' | 'labels' | 'values') => {
    const range = { minTimeMs, maxTimeMs }
    const querier = reader.querier(range)
    // Nothing that is made of half the samples may be kept.
    expect(querier.changes).toBeUndefined()
    if (ask === 'select') expect([...querier.select([], range)].length).toBeLessThan(2)
    else if (ask === 'series') querier.series([], range)
    else if (ask === 'labels') querier.labelNames([], range)
    else expect(querier.labelValues('__name__', [], range)).not.toContain('young')
    querier.close()
    return reader.takeMissing()
  }
  for (const ask of ['select', 'series', 'labels', 'values'] as const) {
    expect(missingOf(FIRST_MS, BLOCKS_END_MS - 1, ask)).toBeUndefined()
    expect(missingOf(FIRST_MS, BLOCKS_END_MS, ask)).toBe(BLOCKS_END_MS)
    expect(missingOf(BLOCKS_END_MS + 1, BLOCKS_END_MS + 2, ask)).toBe(BLOCKS_END_MS)
  }
  turns.goOn()
  await opening.opened
  const querier = reader.querier({ minTimeMs: 0, maxTimeMs: 1e15 })
  expect(querier.changes).toBeDefined()
  querier.close()
  await opening.end()
})

test('a view that was opened before the head was there stays as it is', async () => {
  const turns = new HeldTurns(2)
  const opening = open(turns)
  await turns.held
  const range = { minTimeMs: 0, maxTimeMs: 1e15 }
  const before = opening.reader.querier(range)
  turns.goOn()
  await opening.opened
  expect(before.labelValues('__name__', [], range)).toEqual(['old'])
  before.close()
  expect(dumpReader(opening.reader)).toEqual(all)
  await opening.end()
})

test('where late samples are taken, those that may be missing begin further back', async () => {
  const turns = new HeldTurns(1)
  const lateMs = 2 * WINDOW_MS
  let reader: TsdbReader | undefined
  const opened = openStore(
    join(folder, 'killed'),
    { ...OPTIONS, outOfOrderTimeWindowMs: lateMs },
    { turns, onBlocks: (readers) => (reader = openReader(readers.attachReader().handle)) },
  )
  await turns.held
  dumpReader(reader!)
  expect(reader!.takeMissing()).toBe(BLOCKS_END_MS - lateMs - WINDOW_MS)
  turns.goOn()
  reader!.close()
  await (await opened).close()
})

test('an opening that is broken off leaves the folder as it was, free for the next', async () => {
  class EndingTurns extends HeldTurns {
    override async next(): Promise<void> {
      await super.next()
      if (this.taken === 3) throw new Error('told to stop')
    }
  }
  await expect(open(new EndingTurns(0)).opened).rejects.toThrow('told to stop')
  const store = await openStore(join(folder, 'killed'), OPTIONS)
  expect(dump(store)).toEqual(all)
  await store.close()
})

test('a store without blocks has nothing before its head is there', async () => {
  const dataDir = join(folder, 'new')
  const store = await openStore(dataDir, OPTIONS)
  const appender = store.appender()
  appender.append(undefined, series('a'), FIRST_MS, 1)
  await appender.commit()
  await store.close()
  const turns = new HeldTurns(1)
  const opening = open(turns, dataDir)
  await turns.held
  expect(dumpReader(opening.reader)).toEqual({})
  expect(opening.reader.takeMissing()).toBe(Number.NEGATIVE_INFINITY)
  turns.goOn()
  await opening.opened
  expect(Object.keys(dumpReader(opening.reader))).toEqual(['a{instance="a"}'])
  await opening.end()
})
