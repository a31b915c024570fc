import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, type Logger } from '../../lib/index.ts'
import { setBlockAside, ULID_PATTERN } from '../block/block-folder.ts'
import { decodeDeletions } from '../block/deletions.ts'
import { verifyBlock } from '../block/verify.ts'
import { chunkFileName, isUnbegunChunkFile, listChunkFiles, loadChunkFile } from '../chunk/head-chunk-file.ts'
import { DataFolderReadOnlyError } from '../errors.ts'
import { isDamage } from '../file-errors.ts'
import { lockDataFolder } from '../lock.ts'
import { makeStoreFolders, type StoreFolders } from '../store-folders.ts'
import { decodeCheckpoint } from '../wal/checkpoint.ts'
import { listSegments } from '../wal/replay.ts'
import { readSegment } from '../wal/wal-reader.ts'
import { segmentName } from '../wal/wal-writer.ts'
import { replaceHead } from './head-to-blocks.ts'
import { checkDataFolder, openOfflineStore } from './offline-store.ts'
import type { OnProgress } from './store-walk.ts'

/** Something in a data folder that is not as it was written. */
export interface Fault {
  /** Path within the data folder. */
  readonly place: string
  readonly why: string
}

export interface Verification {
  /** What was read. */
  readonly blocks: number
  readonly headFiles: number
  readonly logSegments: number
  readonly faults: readonly Fault[]
}

/**
 * Reads everything in a data folder that no server has open, and changes nothing. What was being written when the
 * process died, at the end of a file, is no fault.
 *
 * @throws {DataFolderMissingError} @throws {DataFolderLockedError} @throws {NewerFormatError} and what keeps a file from being
 * read, but is no damage
 */
export async function verifyStore(dataDir: string, onProgress?: OnProgress): Promise<Verification> {
  checkDataFolder(dataDir)
  const unlock = lockIfWritable(dataDir)
  try {
    return await verifyLocked(makeStoreFolders(dataDir), onProgress)
  } finally {
    unlock()
  }
}

/** In what cannot be written nobody writes. */
function lockIfWritable(dataDir: string): () => void {
  try {
    return lockDataFolder(dataDir)
  } catch (error) {
    if (!(error instanceof DataFolderReadOnlyError)) throw error
    return () => undefined
  }
}

async function verifyLocked(folders: StoreFolders, onProgress?: OnProgress): Promise<Verification> {
  const faults: Fault[] = []
  const check = (place: string, read: () => readonly string[]): void => {
    try {
      faults.push(...read().map((why) => ({ place, why })))
    } catch (error) {
      if (!isDamage(error)) throw error
      faults.push({ place, why: errorMessage(error) })
    }
  }
  const ulids = readdirSync(folders.dataDir).filter((name) => ULID_PATTERN.test(name))
  for (const [i, ulid] of ulids.entries()) {
    onProgress?.(i, ulids.length)
    const why = verifyBlock(join(folders.dataDir, ulid))
    if (why !== undefined) faults.push({ place: ulid, why })
    await new Promise((resolve) => setImmediate(resolve))
  }
  onProgress?.(ulids.length, ulids.length)
  const chunkFiles = listChunkFiles(folders.chunks)
  for (const file of chunkFiles) {
    check(join('chunks_head', chunkFileName(file)), () => {
      if (isUnbegunChunkFile(folders.chunks, file)) return []
      const loaded = loadChunkFile(folders.chunks, file)
      return loaded === undefined ? ['its header is unreadable'] : loaded.damage.map(damageText)
    })
  }
  const histogramFiles = readdirSync(folders.histograms)
  for (const name of histogramFiles) {
    check(join('histograms_head', name), () => damageOf(join(folders.histograms, name)))
  }
  const segments = listSegments(folders.wal)
  for (const segment of segments) {
    check(join('wal', segmentName(segment)), () => damageOf(join(folders.wal, segmentName(segment))))
  }
  checkFile(check, folders.checkpoint, 'checkpoint', decodeCheckpoint)
  checkFile(check, folders.tombstones, 'tombstones', decodeDeletions)
  const headFiles = chunkFiles.length + histogramFiles.length
  return { blocks: ulids.length, headFiles, logSegments: segments.length, faults }
}

function checkFile(
  check: (place: string, read: () => readonly string[]) => void,
  file: string,
  place: string,
  decode: (bytes: Uint8Array, file: string) => unknown,
): void {
  if (!existsSync(file)) return
  check(place, () => {
    decode(readFileSync(file), file)
    return []
  })
}

/** Of a file of records, without a torn end. */
function damageOf(file: string): string[] {
  const { damage, repairedCount } = readSegment(readFileSync(file), () => undefined, file)
  const turned = repairedCount > 0 ? [`${repairedCount} single bits are wrong; they can be turned back`] : []
  return [...damage.map(damageText), ...turned]
}

const damageText = ({ offset, length }: { readonly offset: number; readonly length: number }): string =>
  `${length} bytes from byte ${offset} on cannot be read`

export interface Repair {
  /** As found. */
  readonly faults: readonly Fault[]
  /** Where in the data folder what could not be used was put. */
  readonly setAside: readonly string[]
  /** What is still wrong; empty unless the disk itself fails. */
  readonly left: readonly Fault[]
}

/**
 * Makes a data folder that no server has open whole again: damaged blocks are set aside, everything of the head that can
 * be read becomes blocks, and the files it was read from are set aside, too. Nothing is deleted. What a damaged list of
 * deletions had hidden shows again.
 */
export async function repairStore(dataDir: string, logger: Logger, onProgress?: OnProgress): Promise<Repair> {
  const { faults } = await verifyStore(dataDir, onProgress)
  if (faults.length === 0) return { faults, setAside: [], left: [] }
  const { quarantine } = makeStoreFolders(dataDir)
  const before = new Set(namesIn(quarantine))
  let unlock = lockDataFolder(dataDir)
  try {
    for (const { place } of faults) if (standsAlone(place)) setBlockAside(dataDir, place)
  } finally {
    unlock()
  }
  if (faults.some(({ place }) => !standsAlone(place))) {
    const store = await openOfflineStore(dataDir, logger)
    const known = new Set(store.blocks().map(({ ulid }) => ulid))
    let name: string
    try {
      name = await store.snapshot()
    } finally {
      await store.close()
    }
    unlock = lockDataFolder(dataDir)
    try {
      await replaceHead(dataDir, name, known, join(quarantine, `head-${name}`))
    } finally {
      unlock()
    }
  }
  const setAside = namesIn(quarantine).filter((entry) => !before.has(entry))
  return { faults, setAside, left: (await verifyStore(dataDir, onProgress)).faults }
}

/** What can go without the rest of the head: blocks, and the list of what was deleted, which then shows again. */
const standsAlone = (place: string): boolean => ULID_PATTERN.test(place) || place === 'tombstones'

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : [])
