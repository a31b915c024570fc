import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../lib/index.ts'
import { readBlockMeta, rewriteBlockMeta, TEMPORARY_SUFFIX } from '../block/block-folder.ts'
import { DeletionList } from '../block/deletion-list.ts'
import { lockDataFolder } from '../lock.ts'
import { makeStoreFolders } from '../store-folders.ts'
import type { Tsdb } from '../tsdb-interface.ts'
import { moveBlocks, replaceHead } from './head-to-blocks.ts'
import { makeBlocks } from './make-blocks.ts'
import { openQuiet } from './offline-store.ts'

export interface ImportSummary {
  /** Of this store, made of what was imported. */
  readonly blocks: number
  readonly samples: number
}

/**
 * Brings samples from elsewhere into a data folder that no server has open. They become blocks: window by window through a
 * store of its own, beside its place; all of them are moved in at the end. What the folder's own head holds becomes blocks,
 * too, where the imported samples are not all older: a head only takes samples that are newer than every block.
 */
export class BlockImport {
  samples = 0
  readonly #dataDir: string
  readonly #logger: Logger
  readonly #store: Tsdb
  readonly #staging: string
  readonly #ready: string[] = []
  #newestMs = Number.NEGATIVE_INFINITY

  private constructor(dataDir: string, logger: Logger, store: Tsdb) {
    this.#dataDir = dataDir
    this.#logger = logger
    this.#store = store
    this.#staging = join(dataDir, `import${TEMPORARY_SUFFIX}`)
    rmSync(this.#staging, { recursive: true, force: true })
    mkdirSync(this.#staging, { recursive: true })
  }

  /** @throws {DataFolderLockedError} */
  static async start(dataDir: string, logger: Logger): Promise<BlockImport> {
    return new BlockImport(dataDir, logger, await openQuiet(dataDir, logger))
  }

  /** Has `fill` write the samples of one stretch of time, shorter than or as long as a window, and makes a block of them. */
  async window(fill: (store: Tsdb) => Promise<void>): Promise<void> {
    const { ulids, newestMs } = await makeBlocks(this.#staging, this.#logger, fill)
    this.#newestMs = Math.max(this.#newestMs, newestMs)
    this.#ready.push(...ulids)
  }

  /** Moves the blocks in. */
  async finish(): Promise<ImportSummary> {
    let headBlocks: string | undefined
    const { minTimeMs } = this.#store.stats()
    if (this.#newestMs >= minTimeMs) headBlocks = await this.#store.snapshot()
    const known = new Set(this.#store.blocks().map(({ ulid }) => ulid))
    await this.#store.close()
    const unlock = lockDataFolder(this.#dataDir)
    try {
      const { tombstones } = makeStoreFolders(this.#dataDir)
      const deletions = new DeletionList(tombstones, this.#store.blocks()).newest
      for (const ulid of this.#ready) {
        const folder = join(this.#staging, ulid)
        const meta = readBlockMeta(folder)
        // What was deleted before is not deleted in these.
        if (deletions > 0) await rewriteBlockMeta(folder, { ...meta, deletions })
      }
      if (headBlocks !== undefined) await replaceHead(this.#dataDir, headBlocks, known)
      await moveBlocks(this.#staging, this.#dataDir, this.#ready)
      rmSync(this.#staging, { recursive: true, force: true })
    } finally {
      unlock()
    }
    return { blocks: this.#ready.length, samples: this.samples }
  }

  /** Gives up: the data folder stays as it was. */
  async discard(): Promise<void> {
    await this.#store.close()
    rmSync(this.#staging, { recursive: true, force: true })
  }
}
