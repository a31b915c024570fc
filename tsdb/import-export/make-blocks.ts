import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../lib/index.ts'
import { ULID_PATTERN } from '../block/block-folder.ts'
import type { Tsdb } from '../tsdb-interface.ts'
import { openQuiet } from './offline-store.ts'

/** Blocks are made of stretches of this length, aligned. */
export const IMPORT_WINDOW_MS = 2 * 3_600_000

/**
 * Has `fill` write samples into a store of its own within `staging`, and makes blocks of them there: one for each window.
 *
 * @returns their names, oldest first, and the time of the newest sample
 */
export async function makeBlocks(
  staging: string,
  logger: Logger,
  fill: (store: Tsdb) => Promise<void>,
): Promise<{ ulids: string[]; newestMs: number }> {
  const folder = join(staging, 'store')
  rmSync(folder, { recursive: true, force: true })
  const store = await openQuiet(folder, logger, IMPORT_WINDOW_MS)
  let newestMs: number
  let name: string
  try {
    await fill(store)
    await store.flushed()
    newestMs = store.stats().maxTimeMs || Number.NEGATIVE_INFINITY
    name = await store.snapshot()
  } finally {
    await store.close()
  }
  const snapshot = join(folder, 'snapshots', name)
  const ulids = readdirSync(snapshot).filter((entry) => ULID_PATTERN.test(entry))
  for (const ulid of ulids) renameSync(join(snapshot, ulid), join(staging, ulid))
  rmSync(folder, { recursive: true, force: true })
  return { ulids, newestMs }
}
