import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { asReadOnlyError } from './file-errors.ts'

/** Where things lie in the data folder. */
export interface StoreFolders {
  readonly dataDir: string
  readonly wal: string
  readonly chunks: string
  readonly histograms: string
  readonly exemplars: string
  readonly quarantine: string
  readonly checkpoint: string
  readonly tombstones: string
  readonly snapshots: string
}

/** @throws {DataFolderReadOnlyError} where they are missing and cannot be made */
export function makeStoreFolders(dataDir: string): StoreFolders {
  const folders = {
    dataDir,
    wal: join(dataDir, 'wal'),
    chunks: join(dataDir, 'chunks_head'),
    histograms: join(dataDir, 'histograms_head'),
    exemplars: join(dataDir, 'exemplars'),
    quarantine: join(dataDir, 'quarantine'),
    checkpoint: join(dataDir, 'checkpoint'),
    tombstones: join(dataDir, 'tombstones'),
    snapshots: join(dataDir, 'snapshots'),
  }
  try {
    for (const name of [folders.wal, folders.chunks, folders.histograms]) mkdirSync(name, { recursive: true })
  } catch (error) {
    throw asReadOnlyError(error, dataDir)
  }
  // What is synced within a folder is found again only when its own name is on disk.
  syncParent(dirname(resolve(dataDir)))
  syncNames(dataDir)
  return folders
}

/** A parent that may be passed and not read, or of a file system without such syncs, is nothing to fail for. */
const MAY_BE_REFUSED: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOTSUP'])

function syncParent(folder: string): void {
  try {
    syncNames(folder)
  } catch (error) {
    if (!MAY_BE_REFUSED.has((error as NodeJS.ErrnoException).code)) throw error
  }
}

function syncNames(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
