import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ULID_PATTERN } from '../block/block-folder.ts'
import { syncFolder } from '../files.ts'
import { makeStoreFolders } from '../store-folders.ts'

/**
 * Puts the blocks that a snapshot made of the head in the place of the head's own files. First the blocks come, then the
 * files go: in between samples are there twice, which readers put up with. The store must be closed and its folder locked.
 *
 * @param known blocks that the snapshot shares with the store
 * @param keepFilesIn where the head's files go instead of being deleted
 */
export async function replaceHead(
  dataDir: string,
  snapshotName: string,
  known: ReadonlySet<string>,
  keepFilesIn?: string,
): Promise<void> {
  const folders = makeStoreFolders(dataDir)
  const snapshot = join(folders.snapshots, snapshotName)
  const made = readdirSync(snapshot).filter((entry) => ULID_PATTERN.test(entry) && !known.has(entry))
  await moveBlocks(snapshot, dataDir, made)
  if (keepFilesIn !== undefined) mkdirSync(keepFilesIn, { recursive: true })
  for (const folder of [folders.checkpoint, folders.wal, folders.chunks, folders.histograms]) {
    if (!existsSync(folder)) continue
    if (keepFilesIn === undefined) rmSync(folder, { recursive: true })
    else renameSync(folder, join(keepFilesIn, folder.slice(dataDir.length).replace(/^[/\\]+/, '')))
  }
  rmSync(snapshot, { recursive: true, force: true })
  makeStoreFolders(dataDir)
  await syncFolder(dataDir)
}

/** Moves finished blocks; durable when it resolves. */
export async function moveBlocks(from: string, to: string, ulids: readonly string[]): Promise<void> {
  for (const ulid of ulids) renameSync(join(from, ulid), join(to, ulid))
  await syncFolder(to)
}
