import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder, writeDurably } from '../files.ts'
import { blockFiles, blockMetaText, TEMPORARY_SUFFIX } from './block-folder.ts'
import type { BlockIndex } from './block-index.ts'
import { ColumnTable } from './column-table.ts'
import type { BlockMeta } from './meta.ts'

/** A block that is being written: built beside its place, synced, and moved there at the end. */
export class BlockOutput {
  /** Where it is built. */
  readonly folder: string
  readonly #dataDir: string
  readonly #ulid: string
  readonly #table: ColumnTable
  #sampleCount = 0

  constructor(dataDir: string, ulid: string) {
    this.#dataDir = dataDir
    this.#ulid = ulid
    this.folder = join(dataDir, `${ulid}${TEMPORARY_SUFFIX}`)
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(this.folder, { recursive: true })
    this.#table = new ColumnTable(blockFiles(this.folder))
  }

  get seriesCount(): number {
    return this.#table.columnCount
  }

  /** Adds the packed column of the next series. */
  add(column: Uint8Array, samples: number): void {
    this.#table.add(column)
    this.#sampleCount += samples
  }

  /** Closes the block and moves it to its place. @param counts `otherBytes`: of files that were put into the folder besides */
  async finish(
    index: Omit<BlockIndex, 'columnStart' | 'pageChecksums'>,
    meta: Omit<BlockMeta, 'ulid' | 'stats' | 'version'>,
    counts: { readonly series: number; readonly otherBytes: number },
  ): Promise<BlockMeta> {
    const bytes = await this.#table.finish(index)
    const complete: BlockMeta = {
      ulid: this.#ulid,
      ...meta,
      stats: {
        numSamples: this.#sampleCount,
        numSeries: counts.series,
        numChunks: this.seriesCount,
        numBytes: bytes + counts.otherBytes,
      },
      version: 1,
    }
    await writeDurably(blockFiles(this.folder).meta, blockMetaText(complete))
    await syncFolder(this.folder)
    renameSync(this.folder, join(this.#dataDir, this.#ulid))
    await syncFolder(this.#dataDir)
    return complete
  }

  /** Gives up: nothing stays. */
  discard(): void {
    this.#table.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
