import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { TEMPORARY_SUFFIX } from '../block/block-folder.ts'
import { syncFolder } from '../files.ts'
import { ImportError } from './errors.ts'
import { checkDataFolder } from './offline-store.ts'
import type { OnProgress } from './store-walk.ts'

// Of the file system, in the top folder of a volume.
const NO_DATA: ReadonlySet<string> = new Set(['lost+found'])

/**
 * Makes a data folder out of a snapshot, which stays as it is.
 *
 * @param dataDir must be missing or empty; it may be the top folder of a volume
 * @throws {DataFolderMissingError} when the snapshot is none
 * @throws {ImportError} when there is something in the way
 */
export async function restoreSnapshot(snapshotDir: string, dataDir: string, onProgress?: OnProgress): Promise<void> {
  checkDataFolder(snapshotDir)
  const target = resolve(dataDir)
  const isNew = !existsSync(target)
  const temporary = join(target, `restore${TEMPORARY_SUFFIX}`)
  rmSync(temporary, { recursive: true, force: true })
  if (!isNew && readdirSync(target).some((name) => !NO_DATA.has(name))) {
    throw new ImportError(`${dataDir} is not empty; a snapshot is restored into a new folder`)
  }
  mkdirSync(temporary, { recursive: true })
  const names = readdirSync(snapshotDir)
  for (const [i, name] of names.entries()) {
    onProgress?.(i, names.length)
    cpSync(join(snapshotDir, name), join(temporary, name), { recursive: true })
  }
  // Where the disk is full, or the process ends before, the folder stays empty.
  for (const name of names) renameSync(join(temporary, name), join(target, name))
  rmSync(temporary, { recursive: true })
  await syncFolder(target)
  if (isNew) await syncFolder(dirname(target))
  onProgress?.(names.length, names.length)
}
