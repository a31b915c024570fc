import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CorruptionError, NewerFormatError } from '../errors.ts'
import { syncFolder, writeDurably } from '../files.ts'
import type { BlockMeta } from './meta.ts'

export const ULID_PATTERN = /^[0-9A-HJKMNP-TV-Z]{26}$/
export const TEMPORARY_SUFFIX = '.tmp-for-creation'
const VERSION = 1
const DELETED_SUFFIX = '.tmp-for-deletion'

export const blockFiles = (folder: string): { meta: string; index: string; data: string } => ({
  meta: join(folder, 'meta.json'),
  index: join(folder, 'index'),
  data: join(folder, 'data'),
})

/** The files of a block's `sum` section. */
export const summaryFiles = (folder: string): { index: string; data: string } => ({
  index: join(folder, 'sum.index'),
  data: join(folder, 'sum.data'),
})

/** @throws {CorruptionError} @throws {NewerFormatError} and what the file system says */
export function readBlockMeta(folder: string): BlockMeta {
  const file = blockFiles(folder).meta
  const text = readFileSync(file, 'utf8')
  try {
    const { checksum, ...meta } = JSON.parse(text) as BlockMeta & { checksum?: string }
    // Blocks of before have none.
    if (checksum !== undefined && checksum !== checksumOf(meta)) throw new Error('the checksum does not match')
    if (meta.version > VERSION) throw new NewerFormatError(`${file} was written by a newer version of Belltower`)
    if (meta.version !== VERSION || typeof meta.minTime !== 'number' || typeof meta.maxTime !== 'number') {
      throw new Error(`not the description of a block of version ${VERSION}`)
    }
    return meta
  } catch (cause) {
    if (cause instanceof NewerFormatError) throw cause
    throw new CorruptionError(file, 0, (cause as Error).message, { cause })
  }
}

/** Text of the description of a block, with a checksum: other blocks and files are deleted by what it says. */
export const blockMetaText = (meta: BlockMeta): string =>
  `${JSON.stringify({ ...meta, checksum: checksumOf(meta) }, undefined, 2)}\n`

const checksumOf = (meta: BlockMeta): string => crc32(JSON.stringify(meta)).toString(16).padStart(8, '0')

/** Writes the description of a block anew. */
export async function rewriteBlockMeta(folder: string, meta: BlockMeta): Promise<void> {
  const { meta: file } = blockFiles(folder)
  await writeDurably(`${file}.tmp`, blockMetaText(meta))
  renameSync(`${file}.tmp`, file)
  await syncFolder(folder)
}

/** Removes what an interrupted creation or deletion left behind. */
export function removeLeftovers(dataDir: string): void {
  if (!existsSync(dataDir)) return
  for (const name of readdirSync(dataDir)) {
    if (name.endsWith(TEMPORARY_SUFFIX) || name.endsWith(DELETED_SUFFIX)) {
      rmSync(join(dataDir, name), { recursive: true, force: true })
    }
  }
}

/** Renamed first, so that a crash leaves no half block. */
export function removeBlock(dataDir: string, ulid: string): void {
  const doomed = join(dataDir, `${ulid}${DELETED_SUFFIX}`)
  renameSync(join(dataDir, ulid), doomed)
  rmSync(doomed, { recursive: true, force: true })
}

/** Moves a block out of the way, for somebody to look at. */
export function setBlockAside(dataDir: string, ulid: string): string {
  const folder = join(dataDir, 'quarantine')
  mkdirSync(folder, { recursive: true })
  let target = join(folder, ulid)
  for (let n = 1; existsSync(target); n++) target = join(folder, `${ulid}-${n}`)
  renameSync(join(dataDir, ulid), target)
  return target
}
