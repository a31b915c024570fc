import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CorruptionError } from '../errors.ts'
import { syncFolder, writeDurably } from '../files.ts'
import type { BlockMeta } from './meta.ts'

export const ULID_PATTERN = /^[0-9A-HJKMNP-TV-Z]{26}$/
export const TEMPORARY_SUFFIX = '.tmp-for-creation'
const DELETED_SUFFIX = '.tmp-for-deletion'

export const blockFiles = (folder: string): { meta: string; index: string; data: string } => ({
  meta: join(folder, 'meta.json'),
  index: join(folder, 'index'),
  data: join(folder, 'data'),
})

/** @throws {CorruptionError} */
export function readBlockMeta(folder: string): BlockMeta {
  const file = blockFiles(folder).meta
  try {
    const meta = JSON.parse(readFileSync(file, 'utf8')) as BlockMeta
    if (meta.version !== 1 || typeof meta.minTime !== 'number' || typeof meta.maxTime !== 'number') {
      throw new Error('not the description of a block of version 1')
    }
    return meta
  } catch (cause) {
    throw new CorruptionError(file, 0, (cause as Error).message, { cause })
  }
}

/** Writes the description of a block anew. */
export async function rewriteBlockMeta(folder: string, meta: BlockMeta): Promise<void> {
  const { meta: file } = blockFiles(folder)
  await writeDurably(`${file}.tmp`, `${JSON.stringify(meta, undefined, 2)}\n`)
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
