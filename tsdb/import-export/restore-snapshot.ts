import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { syncFolder } from '../files.ts'
import { ImportError } from './errors.ts'
import { checkDataFolder } from './offline-store.ts'

/**
 * Makes a data folder out of a snapshot, which stays as it is.
 *
 * @param dataDir must be missing or empty
 * @throws {DataFolderMissingError} when the snapshot is none
 * @throws {ImportError} when there is something in the way
 */
export async function restoreSnapshot(snapshotDir: string, dataDir: string): Promise<void> {
  checkDataFolder(snapshotDir)
  const target = resolve(dataDir)
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new ImportError(`${dataDir} is not empty; a snapshot is restored into a new folder`)
  }
  const temporary = `${target}.restoring`
  rmSync(temporary, { recursive: true, force: true })
  cpSync(snapshotDir, temporary, { recursive: true })
  rmSync(target, { recursive: true, force: true })
  renameSync(temporary, target)
  await syncFolder(dirname(target))
}
