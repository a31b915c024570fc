import { randomBytes } from 'node:crypto'
import { copyFileSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder } from '../files.ts'
import { makeStoreFolders, type StoreFolders } from '../store-folders.ts'
import { TEMPORARY_SUFFIX } from './block-folder.ts'
import type { DeletionList } from './deletion-list.ts'
import type { BlockMeta } from './meta.ts'

interface SnapshotParts {
  readonly folders: StoreFolders
  readonly blocks: readonly BlockMeta[]
  readonly deletions: DeletionList
  readonly nowMs: number
  /** Writes what is not in blocks yet as blocks of a folder. */
  readonly writeHead: ((folder: string) => Promise<void>) | undefined
}

/** Puts the store together in a folder of its own; blocks are the same files. @returns the folder's name */
export async function writeSnapshot(parts: SnapshotParts): Promise<string> {
  const { folders, blocks, deletions, nowMs, writeHead } = parts
  const name = snapshotName(nowMs)
  const target = join(folders.snapshots, name)
  const temporary = `${target}${TEMPORARY_SUFFIX}`
  mkdirSync(temporary, { recursive: true })
  try {
    // At one go: a block that is replaced later is still there.
    for (const { ulid } of blocks) linkBlock(join(folders.dataDir, ulid), join(temporary, ulid))
    for (const { ulid } of blocks) await syncFolder(join(temporary, ulid))
    await writeHead?.(temporary)
    if (deletions.all.length > 0) await deletions.copyTo(makeStoreFolders(temporary).tombstones)
    await syncFolder(temporary)
    renameSync(temporary, target)
    await syncFolder(folders.snapshots)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
  return name
}

/** The time to the second and something random: as Prometheus names its snapshots. */
function snapshotName(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  return `${time}-${randomBytes(8).toString('hex')}`
}

function linkBlock(from: string, to: string): void {
  mkdirSync(to)
  for (const file of readdirSync(from)) {
    try {
      linkSync(join(from, file), join(to, file))
    } catch {
      // Some file systems have no hard links.
      copyFileSync(join(from, file), join(to, file))
    }
  }
}
