import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../lib/index.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { Root } from '../memory/layout.ts'
import { blockFiles, readBlockMeta, removeBlock, setBlockAside, ULID_PATTERN } from './block-folder.ts'
import { decodeBlockIndex } from './block-index.ts'
import type { BlockMeta } from './meta.ts'

/** The blocks of the store. The list is published in the head's memory, so that readers see it change with the head. */
export class BlockList {
  readonly #dataDir: string
  readonly #memory: HeadMemory
  readonly #logger: Logger
  #metas: BlockMeta[] = []
  /** Blocks that are no longer listed but that a reader may still be about to open. */
  #doomed: { readonly ulid: string; readonly epoch: number }[] = []
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

  /** Finds the blocks in the data folder; what does not read is set aside. */
  load(): void {
    const metas: BlockMeta[] = []
    for (const ulid of readdirSync(this.#dataDir).filter((name) => ULID_PATTERN.test(name))) {
      try {
        const folder = join(this.#dataDir, ulid)
        const file = blockFiles(folder).index
        decodeBlockIndex(readFileSync(file), file)
        metas.push(readBlockMeta(folder))
      } catch (err) {
        this.#isolate(ulid, (err as Error).message)
      }
    }
    this.#replace(metas)
  }

  add(meta: BlockMeta): void {
    this.#replace([...this.#metas, meta])
  }

  /** Takes a damaged block out of the list and out of the way. */
  isolate(ulid: string, why: string): void {
    this.#replace(this.#metas.filter((meta) => meta.ulid !== ulid))
    this.#isolate(ulid, why)
  }

  /** Deletes blocks by age and size; only whole ones. */
  applyRetention(limits: { retentionMs: number; retentionBytes: number; otherBytes: number }): void {
    const newestMs = this.maxTimeMs
    const byTime = this.#metas.filter((meta) => newestMs - meta.maxTime >= limits.retentionMs)
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
      const epoch = this.#memory.root(Root.EPOCH)
      this.#doomed.push(...gone.map(({ ulid }) => ({ ulid, epoch })))
      this.#memory.reclaim()
    }
    this.#deleteDoomed()
  }

  #deleteDoomed(): void {
    this.#doomed = this.#doomed.filter(({ ulid, epoch }) => {
      if (this.#memory.isPinned(epoch)) return true
      removeBlock(this.#dataDir, ulid)
      this.#logger.info({ blockId: ulid }, 'block deleted, its time is over')
      return false
    })
  }

  #isolate(ulid: string, why: string): void {
    this.setAside++
    const movedTo = setBlockAside(this.#dataDir, ulid)
    this.#logger.error({ blockId: ulid, why, movedTo }, 'block is damaged and was set aside')
  }

  #replace(metas: BlockMeta[]): void {
    this.#metas = metas.sort((a, b) => a.minTime - b.minTime)
    const bytes = Buffer.from(JSON.stringify(this.#metas))
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
