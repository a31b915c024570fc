// Goal: a power cut on a disk that has kept only what was synced, names of files included, costs at most what was written since
// the log was synced last; nothing is damaged by it, nothing is there twice, nothing deleted comes back.
// Method: a child that keeps a journal of all syncs of all threads, makes the folder as it was after some of them, opens and
// verifies it; after every single one with BELLTOWER_KILLS of 100 and more.
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/belltower.ts'
import { runChild } from './run-child.ts'

const IS_SOAK = Number(process.env.BELLTOWER_KILLS ?? 20) >= 100
const STEP = IS_SOAK ? 1 : 20

interface Cut {
  readonly cut: number
  readonly of: number
  readonly rows: number
  readonly faults: readonly string[]
}

const isLinux = process.platform === 'linux'
if (!isLinux) console.log('skipped: what is synced is looked up in /proc, which only Linux has')

test.skipIf(!isLinux)('only what was synced is kept', { timeout: IS_SOAK ? 1_800_000 : 360_000 }, async () => {
  const journal = temporaryFolder()
  const cuts = await runChild<Cut>({
    patch: './synced-disk.ts',
    file: './synced-disk-child.ts',
    args: [STEP],
    env: { SYNC_JOURNAL: journal.path },
  })
  journal.remove()
  for (const { cut, of, faults } of cuts) expect(faults, `after sync ${cut} of ${of}`).toEqual([])
  // Otherwise it was not about anything.
  expect(cuts[0]!.of).toBeGreaterThan(40)
  expect(cuts.length).toBeGreaterThanOrEqual(Math.floor(cuts[0]!.of / STEP))
  expect(cuts.at(-1)!.rows).toBeGreaterThan(30)
})
