import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, type Logger, systemClock } from '../../lib/index.ts'
import { Registry } from '../../lib/metrics.ts'
import { ULID_PATTERN } from '../block/block-folder.ts'
import { openTsdb, type Tsdb } from '../tsdb.ts'
import { DataFolderMissingError } from './errors.ts'

const TICK_MS = 10_000
const FOREVER_MS = 1e15

/** Writes and syncs, but does no maintenance by itself. */
const quietClock: Clock = {
  nowMs: () => systemClock.nowMs(),
  schedule: (delayMs, callback) => (delayMs >= TICK_MS ? () => undefined : systemClock.schedule(delayMs, callback)),
}

/**
 * Opens a store that no server has open, to look at it or to work on it: nothing is merged or expires meanwhile.
 *
 * @throws {DataFolderMissingError}
 */
export function openOfflineStore(dataDir: string, logger: Logger): Promise<Tsdb> {
  checkDataFolder(dataDir)
  return openQuiet(dataDir, logger)
}

/** As `openOfflineStore`, but the folder is made if missing. */
export function openQuiet(dataDir: string, logger: Logger, blockDurationMs?: number): Promise<Tsdb> {
  return openTsdb({
    dataDir,
    clock: quietClock,
    logger,
    registry: new Registry(),
    retentionMs: FOREVER_MS,
    futureMaxMs: Number.POSITIVE_INFINITY,
    pastMaxMs: Number.POSITIVE_INFINITY,
    ...(blockDurationMs === undefined ? {} : { blockDurationMs }),
  })
}

/**
 * A data folder, or a snapshot: it has a log or blocks.
 *
 * @throws {DataFolderMissingError}
 */
export function checkDataFolder(dataDir: string): void {
  if (!existsSync(dataDir)) throw new DataFolderMissingError(`there is no folder ${dataDir}`)
  const blocks = readdirSync(dataDir).filter((name) => ULID_PATTERN.test(name))
  if (blocks.some((ulid) => existsSync(join(dataDir, ulid, 'chunks')))) {
    throw new DataFolderMissingError(`${dataDir} holds blocks of Prometheus; "belltower tsdb import" reads them`)
  }
  if (blocks.length > 0 || existsSync(join(dataDir, 'wal'))) return
  throw new DataFolderMissingError(`${dataDir} is no data folder: it has neither a log nor blocks in it`)
}
