import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readBlockMeta, ULID_PATTERN } from '../block/block-folder.ts'
import type { BlockMeta } from '../block/meta.ts'
import { checkDataFolder } from './offline-store.ts'

/**
 * Descriptions of the blocks in a data folder, by time; a server may have it open.
 *
 * @throws {DataFolderMissingError} @throws {CorruptionError}
 */
export function listBlocks(dataDir: string): BlockMeta[] {
  checkDataFolder(dataDir)
  return readdirSync(dataDir)
    .filter((name) => ULID_PATTERN.test(name))
    .map((ulid) => readBlockMeta(join(dataDir, ulid)))
    .sort((a, b) => a.minTime - b.minTime)
}
