// Goal: whatever is wrong in a data folder is found, what a dying process leaves is not called wrong, and repair keeps the rest.
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { openOfflineStore, repairStore, verifyStore } from '../index.ts'
import { type Dump, dump, openStore, temporaryFolder, writeRow } from '../testing/store.ts'

const { folder, remove } = temporaryFolder()
const whole = join(folder, 'whole')
let all: Dump
afterAll(() => remove())

/** A block, sealed chunks, a log, a checkpoint, histograms, a deletion. */
beforeAll(async () => {
  const store = await openStore(whole, { blockDurationMs: 60_000 })
  const writer = store.openGroup(['instance', 'a'])
  writer.addSeries([
    ['__name__', 'a'],
    ['__name__', 'b'],
  ])
  const write = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      writeRow(writer, i * 1000, [
        [0, i],
        [1, i / 2],
      ])
    }
  }
  write(0, 100)
  await store.maintain()
  await store.deleteSeries([], { minTimeMs: 0, maxTimeMs: 5000 })
  await store.close()
  const again = await openStore(whole, { blockDurationMs: 60_000 })
  const rest = again.openGroup(['instance', 'b'])
  rest.addSeries([['__name__', 'a']])
  for (let i = 100; i < 110; i++) writeRow(rest, i * 1000, [[0, i]])
  await again.flushed()
  all = dump(again)
  cpSync(whole, join(folder, 'killed'), { recursive: true })
  rmSync(join(folder, 'killed', 'lock'))
  await again.close()
})

let copies = 0
function copy(): string {
  const target = join(folder, `copy-${copies++}`)
  cpSync(join(folder, 'killed'), target, { recursive: true })
  return target
}

async function contents(dataDir: string): Promise<Dump> {
  const store = await openOfflineStore(dataDir, silentLogger)
  try {
    return dump(store)
  } finally {
    await store.close()
  }
}

test('a folder as a kill leaves it is clean, and verifying changes nothing', async () => {
  const dataDir = copy()
  const segment = join(dataDir, 'wal', readdirSync(join(dataDir, 'wal')).at(-1)!)
  appendFileSync(segment, Buffer.from('half a record'))
  writeFileSync(join(dataDir, 'chunks_head', '00000077'), '')
  const before = readFileSync(segment)
  expect(await verifyStore(dataDir)).toMatchObject({ blocks: 1, faults: [] })
  expect(readFileSync(segment)).toEqual(before)
  expect(await contents(dataDir)).toEqual(all)
})

test('a chunk file that ends in its header, or has a bad one, is never written on', { timeout: 60_000 }, async () => {
  for (const bytes of [0, 15, 40]) {
    const dataDir = copy()
    // The next number: what a store that had been killed would take again.
    const next = Number(readdirSync(join(dataDir, 'chunks_head')).sort().at(-1) ?? 0) + 1
    writeFileSync(join(dataDir, 'chunks_head', String(next).padStart(8, '0')), Buffer.alloc(bytes, 7))
    for (let round = 0; round < 2; round++) {
      const store = await openStore(dataDir, { blockDurationMs: 60_000 })
      const writer = store.openGroup(['instance', 'c'])
      if (writer.positionCount === 0) writer.addSeries([['__name__', 'c']])
      for (let i = 0; i < 5; i++) writeRow(writer, (120 + 10 * round + i) * 1000, [[0, i]])
      await store.maintain()
      await store.close()
    }
    const found = await contents(dataDir)
    expect(found['c{instance="c"}']).toHaveLength(10)
    expect(found['a{instance="a"}']).toEqual(all['a{instance="a"}'])
  }
})

test('every damaged file is named; after a repair the folder is clean and the rest is there', {
  timeout: 60_000,
}, async () => {
  const start = copy()
  const [block] = readdirSync(start).filter((name) => /^[0-9A-Z]{26}$/.test(name))
  const places = [
    ...['meta.json', 'index', 'data'].map((file) => [block!, join(block!, file)] as const),
    ...['checkpoint', 'tombstones'].map((file) => [file, file] as const),
    ...readdirSync(join(start, 'chunks_head')).map(
      (file) => [join('chunks_head', file), join('chunks_head', file)] as const,
    ),
  ]
  expect(places.length).toBeGreaterThan(5)
  for (const [place, file] of places) {
    const dataDir = copy()
    const bytes = readFileSync(join(dataDir, file))
    const isJson = file.endsWith('.json')
    if (isJson) truncateSync(join(dataDir, file), bytes.length >> 1)
    else {
      // A chunk file's only chunk would look as if it had been under way.
      const at = file.startsWith('chunks_head') ? 0 : Math.min(18, bytes.length >> 1)
      bytes.fill(0xaa, at, Math.min(at + 6, bytes.length))
      writeFileSync(join(dataDir, file), bytes)
    }
    const { faults } = await verifyStore(dataDir)
    expect(
      faults.map((fault) => fault.place),
      file,
    ).toEqual([place])
    const repaired = await repairStore(dataDir, silentLogger)
    expect(repaired.left, file).toEqual([])
    expect(repaired.setAside.length, file).toBe(1)
    expect((await contents(dataDir))['a{instance="b"}'], file).toEqual(all['a{instance="b"}'])
  }
})

test('a damaged list of deletions stops the start, which says what to do; repair sets it aside', {
  timeout: 60_000,
}, async () => {
  const dataDir = copy()
  writeFileSync(join(dataDir, 'tombstones'), 'not what it was')
  await expect(openStore(dataDir)).rejects.toThrow('"belltower tsdb repair" sets it aside')
  const { faults, setAside, left } = await repairStore(dataDir, silentLogger)
  expect([faults.length, setAside, left]).toEqual([1, ['tombstones'], []])
  const hidden = Array.from({ length: 6 }, (_, i) => i * 1000)
  const timesOf = (dumped: Dump): number[] => dumped['a{instance="a"}']!.map(([timeMs]) => timeMs)
  expect(timesOf(await contents(dataDir))).toEqual([...hidden, ...timesOf(all)])
})
