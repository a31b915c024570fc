// Goal: a power cut on a disk that has kept only what was synced, names of files included, costs at most what was written since
// the log was synced last; nothing is damaged by it, nothing is there twice, nothing deleted comes back.
// Method: a child that keeps a journal of all syncs of all threads, makes the folder as it was after some of them, opens and
// verifies it; after every single one with BELLTOWER_KILLS of 100 and more.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/belltower.ts'

const IS_SOAK = Number(process.env.BELLTOWER_KILLS ?? 20) >= 100
const STEP = IS_SOAK ? 1 : 20
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Cut {
  readonly cut: number
  readonly of: number
  readonly rows: number
  readonly faults: readonly string[]
}

const isLinux = process.platform === 'linux'
if (!isLinux) console.log('skipped: what is synced is looked up in /proc, which only Linux has')

test.skipIf(!isLinux)('only what was synced is kept', { timeout: IS_SOAK ? 1_800_000 : 180_000 }, async () => {
  const journal = temporaryFolder()
  const args = ['--import', 'tsx', '--import', path('./synced-disk.ts'), path('./synced-disk-child.ts'), String(STEP)]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, SYNC_JOURNAL: journal.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  journal.remove()
  expect(code, errors).toBe(0)
  const cuts = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Cut)
  for (const { cut, of, faults } of cuts) expect(faults, `after sync ${cut} of ${of}`).toEqual([])
  // Otherwise it was not about anything.
  expect(cuts[0]!.of).toBeGreaterThan(40)
  expect(cuts.length).toBeGreaterThanOrEqual(Math.floor(cuts[0]!.of / STEP))
  expect(cuts.at(-1)!.rows).toBeGreaterThan(30)
})
