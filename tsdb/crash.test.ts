import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyBlock } from './block/verify.ts'
import { bitsOf, type Dump, dump, openStore, temporaryFolder } from './testing/store.ts'
import { readWindow, sumOf } from './testing/windows.ts'

const FIRST_MS = 1_700_000_000_000
const script = fileURLToPath(new URL('./testing/append-forever.ts', import.meta.url))

/** Runs the appending child until it has reported `rows` rows, then kills it. @returns the last row reported */
async function runAndKill(folder: string, rows: number, ...args: string[]): Promise<number> {
  const argv = ['--import', 'tsx', script, folder, ...args]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let last = -1
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line)
      if (last >= rows) break
    }
  } finally {
    child.kill('SIGKILL')
    await exited
  }
  return last
}

/** Every row up to the last one reported, once. */
function checkRows(all: Dump, last: number): void {
  expect(Object.keys(all)).toHaveLength(7)
  for (const [name, samples] of Object.entries(all)) {
    expect(samples.length, name).toBeGreaterThan(last)
    const step = name.startsWith('half') ? 0.5 : 1
    for (const [row, sample] of samples.entries()) {
      expect(sample).toEqual([FIRST_MS + row * 1000, bitsOf(Math.round(row * step * 10) / 10)])
    }
  }
}

test.each([5, 1000])(
  'store: after a kill -9 at row %i everything flushed is there',
  { timeout: 60_000 },
  async (rows) => {
    const { folder, remove } = temporaryFolder()
    const last = await runAndKill(folder, rows)
    expect(last).toBeGreaterThanOrEqual(rows)
    // The long run has sealed rows, written checkpoints and deleted log before it was killed.
    expect(existsSync(join(folder, 'checkpoint'))).toBe(rows > 500)
    // The dead process's lock does not hold; twice, because the first start changes the folder.
    for (let round = 0; round < 2; round++) {
      const store = await openStore(folder)
      checkRows(dump(store), last)
      await store.maintain()
      await store.close()
    }
    remove()
  },
)

test.each([507, 590, 702])(
  'store: after a kill -9 around row %i, amid blocks being built, merged and deleted, nothing is lost or there twice',
  { timeout: 60_000 },
  async (rows) => {
    const { folder, remove } = temporaryFolder()
    // Blocks of 20 rows; those are merged into ones of 60 and 180.
    const last = await runAndKill(folder, rows, '20000', '5')
    const left = readdirSync(folder)
    for (let round = 0; round < 2; round++) {
      const store = await openStore(folder, { blockDurationMs: 20_000 })
      checkRows(dump(store), last)
      await store.maintain()
      checkRows(dump(store), last)
      expect(Math.max(...store.blocks().map(({ compaction }) => compaction.level))).toBeGreaterThan(1)
      for (const { ulid } of store.blocks()) expect(verifyBlock(join(folder, ulid)), left.join()).toBeUndefined()
      await store.close()
    }
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([])
    remove()
  },
)

test.each([900, 1130])(
  'store: after a kill -9 around row %i, amid samples being summarised and deleted, summaries and samples say the same',
  { timeout: 90_000 },
  async (rows) => {
    const { folder, remove } = temporaryFolder()
    const options = {
      blockDurationMs: 20_000,
      retentionMs: 400_000,
      tiers: [{ resolutionMs: 5000, retentionMs: 1e15 }],
    }
    await runAndKill(folder, rows, '20000', '5', '400000', '5000')
    for (let round = 0; round < 2; round++) {
      const store = await openStore(folder, options)
      for (let time = 0; time < 2; time++) {
        const toMs = FIRST_MS + 100_000_000
        const last = readWindow(store, 'last_over_time', FIRST_MS - 5000, toMs)
        const sums = readWindow(store, 'avg_over_time', FIRST_MS - 5000, toMs)
        for (const instance of ['a', 'b', 'c']) {
          const name = `__name__,count,instance,${instance}`
          const count = last[name]!.values.at(-1)! + 1
          expect(sumOf(sums[name]!.counts)).toBe(count)
          expect(sumOf(sums[name]!.values)).toBe((count * (count - 1)) / 2)
        }
        await store.maintain()
      }
      const blocks = store.blocks()
      expect(blocks.filter(({ resolution }) => resolution === undefined)[0]!.minTime).toBeGreaterThan(FIRST_MS)
      expect(blocks.filter(({ resolution }) => resolution === 5000)[0]!.minTime).toBeLessThanOrEqual(FIRST_MS)
      for (const { ulid } of blocks) expect(verifyBlock(join(folder, ulid))).toBeUndefined()
      await store.close()
    }
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([])
    remove()
  },
)
