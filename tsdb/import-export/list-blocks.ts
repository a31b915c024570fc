import { existsSync, readdirSync } from 'node:fs'
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
    .flatMap((ulid) => metaOf(join(dataDir, ulid)))
    .sort((a, b) => a.minTime - b.minTime)
}

/** None where the server has merged or deleted it meanwhile. */
function metaOf(folder: string): BlockMeta[] {
  try {
    return [readBlockMeta(folder)]
  } catch (error) {
    if (!existsSync(folder)) return []
    throw error
  }
}
