import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../lib/index.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { Root } from '../memory/layout.ts'
import { blockFiles, readBlockMeta, removeBlock, summaryFiles, setBlockAside, ULID_PATTERN } from './block-folder.ts'
import { isDamage } from '../file-errors.ts'
import { decodeBlockIndex } from './block-index.ts'
import type { Deletion } from './deletions.ts'
import type { BlockMeta } from './meta.ts'

/** What readers find in the head's memory, as JSON. */
export interface PublishedBlocks {
  /** By time. */
  readonly blocks: readonly BlockMeta[]
  readonly deletions: readonly Deletion[]
}

export interface RetentionLimits {
  /** How long a block is kept. */
  retentionMs(meta: BlockMeta): number
  /** Whether something is still to be made from a block whose time is over. */
  isNeeded(meta: BlockMeta): boolean
  /** Of blocks and everything else together; 0 = no limit. */
  readonly retentionBytes: number
  readonly otherBytes: number
}

/** The blocks of the store. The list is published in the head's memory, so that readers see it change with the head. */
export class BlockList {
  readonly #dataDir: string
  readonly #memory: HeadMemory
  readonly #logger: Logger
  #metas: BlockMeta[] = []
  #deletions: readonly Deletion[] = []
  /** Blocks that are no longer listed but that a reader may still be about to open. */
  #doomed: { readonly ulid: string; readonly epoch: number; readonly why: string }[] = []
  #pointer = 0
  #bytes = 0
  retiredByTime = 0
  retiredBySize = 0
  setAside = 0

  constructor(dataDir: string, memory: HeadMemory, logger: Logger) {
    this.#dataDir = dataDir
    this.#memory = memory
    this.#logger = logger
  }

  get metas(): readonly BlockMeta[] {
    return this.#metas
  }

  /** End of the newest block; -∞ without one. */
  get maxTimeMs(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...this.#metas.map((meta) => meta.maxTime))
  }

  get sizeBytes(): number {
    return this.#metas.reduce((sum, meta) => sum + meta.stats.numBytes, 0)
  }

  /** What readers are told to leave out. */
  set deletions(deletions: readonly Deletion[]) {
    this.#deletions = deletions
    this.#replace(this.#metas)
  }

  /**
   * Finds the blocks in the data folder; what does not read is set aside. A block that was merged into another goes.
   *
   * @throws {NewerFormatError} and what keeps a block from being read, but is no damage
   */
  load(): void {
    const metas: BlockMeta[] = []
    for (const ulid of readdirSync(this.#dataDir).filter((name) => ULID_PATTERN.test(name))) {
      const folder = join(this.#dataDir, ulid)
      if (isForeign(folder)) {
        this.#logger.warn(
          { blockId: ulid },
          'a block of Prometheus is passed over; "belltower tsdb import" brings it in',
        )
        continue
      }
      try {
        const meta = readBlockMeta(folder)
        const files = meta.summary === undefined ? [blockFiles(folder)] : [blockFiles(folder), summaryFiles(folder)]
        for (const { index } of files) decodeBlockIndex(readFileSync(index), index)
        metas.push(meta)
      } catch (err) {
        if (!isDamage(err)) throw err
        this.#isolate(ulid, (err as Error).message)
      }
    }
    const replaced = new Set(metas.flatMap(({ compaction }) => compaction.parents ?? []).map(({ ulid }) => ulid))
    for (const { ulid } of metas.filter((meta) => replaced.has(meta.ulid))) {
      removeBlock(this.#dataDir, ulid)
      this.#logger.info({ blockId: ulid }, 'block deleted, it had been merged into another')
    }
    this.#replace(metas.filter((meta) => !replaced.has(meta.ulid)))
  }

  add(meta: BlockMeta): void {
    this.#replace([...this.#metas, meta])
  }

  /** Puts a block in the place of others (there may be none), or takes them away; in one step for readers. */
  replaceBlocks(parents: readonly BlockMeta[], merged: BlockMeta | undefined): void {
    const gone = new Set(parents.map(({ ulid }) => ulid))
    const present = this.#metas.filter((meta) => gone.has(meta.ulid))
    const kept = this.#metas.filter((meta) => !gone.has(meta.ulid))
    this.#replace(merged === undefined ? kept : [...kept, merged])
    this.#doom(present, 'block deleted, it was merged into another')
  }

  /** Takes over a new description of a block. */
  update(meta: BlockMeta): void {
    this.#replace(this.#metas.map((known) => (known.ulid === meta.ulid ? meta : known)))
  }

  /** Takes a damaged block out of the list and out of the way. */
  isolate(ulid: string, why: string): void {
    this.#replace(this.#metas.filter((meta) => meta.ulid !== ulid))
    this.#isolate(ulid, why)
  }

  /** Deletes blocks by age and size; only whole ones. */
  applyRetention(limits: RetentionLimits): void {
    const newestMs = this.maxTimeMs
    const byTime = this.#metas.filter(
      (meta) => newestMs - meta.maxTime >= limits.retentionMs(meta) && !limits.isNeeded(meta),
    )
    const kept = this.#metas.filter((meta) => !byTime.includes(meta))
    const bySize: BlockMeta[] = []
    let bytes = limits.otherBytes + kept.reduce((sum, meta) => sum + meta.stats.numBytes, 0)
    for (const meta of limits.retentionBytes > 0 ? kept : []) {
      if (bytes <= limits.retentionBytes) break
      bytes -= meta.stats.numBytes
      bySize.push(meta)
    }
    this.retiredByTime += byTime.length
    this.retiredBySize += bySize.length
    const gone = [...byTime, ...bySize]
    if (gone.length > 0) {
      this.#replace(kept.filter((meta) => !bySize.includes(meta)))
      this.#doom(gone, 'block deleted, its time is over')
    }
    this.deleteDoomed()
  }

  /** Deletes the folders of blocks that no reader can be about to open any more. */
  deleteDoomed(): void {
    this.#doomed = this.#doomed.filter(({ ulid, epoch, why }) => {
      if (this.#memory.isPinned(epoch)) return true
      removeBlock(this.#dataDir, ulid)
      this.#logger.info({ blockId: ulid }, why)
      return false
    })
  }

  #doom(metas: readonly BlockMeta[], why: string): void {
    const epoch = this.#memory.root(Root.EPOCH)
    this.#doomed.push(...metas.map(({ ulid }) => ({ ulid, epoch, why })))
    this.#memory.reclaim()
  }

  #isolate(ulid: string, why: string): void {
    this.setAside++
    const movedTo = setBlockAside(this.#dataDir, ulid)
    this.#logger.error({ blockId: ulid, why, movedTo }, 'block is damaged and was set aside')
  }

  #replace(metas: readonly BlockMeta[]): void {
    // Of one time the samples come first: they are the first to go, too.
    this.#metas = [...metas].sort(
      (a, b) => a.minTime - b.minTime || (a.resolution ?? 0) - (b.resolution ?? 0) || (a.ulid < b.ulid ? -1 : 1),
    )
    const published: PublishedBlocks = { blocks: this.#metas, deletions: this.#deletions }
    const bytes = Buffer.from(JSON.stringify(published))
    const memory = this.#memory
    const pointer = memory.allocate(bytes.length)
    memory.views.u8.set(bytes, pointer)
    memory.beginChange()
    memory.setRoot(Root.BLOCK_LIST, pointer)
    memory.setRoot(Root.BLOCK_LIST_BYTES, bytes.length)
    memory.endChange()
    memory.retire(this.#pointer, this.#bytes)
    this.#pointer = pointer
    this.#bytes = bytes.length
  }
}

/** A block of Prometheus that somebody has put there: as whole as before, but not ours. */
const isForeign = (folder: string): boolean => existsSync(join(folder, 'chunks'))
