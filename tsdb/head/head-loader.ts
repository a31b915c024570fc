import { existsSync, readFileSync } from 'node:fs'
import type { Logger } from '../../lib/index.ts'
import type { BlockMeta } from '../block/meta.ts'
import { isUnbegunChunkFile, listChunkFiles, loadChunkFile, removeChunkFile } from '../chunk/head-chunk-file.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { CorruptionError } from '../errors.ts'
import { listHistogramFiles, loadHistogramPages } from '../histogram/head-histogram-file.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import type { StoreFolders } from '../store-folders.ts'
import { decodeCheckpoint, LOST_LABELS } from '../wal/checkpoint.ts'
import type { HeadChunk } from './pieces.ts'
import type { Head } from './head.ts'

/** Brings back what an earlier run left of the head beside the log: the checkpoint, chunks, histograms. */
export class HeadLoader {
  /** Damaged places that were passed over. */
  damageCount = 0
  readonly #head: Head
  readonly #folders: StoreFolders
  readonly #logger: Logger

  constructor(head: Head, folders: StoreFolders, logger: Logger) {
    this.#head = head
    this.#folders = folders
    this.#logger = logger
  }

  /** @returns from when on samples were still taken */
  loadCheckpoint(): number {
    const file = this.#folders.checkpoint
    if (!existsSync(file)) return Number.NEGATIVE_INFINITY
    try {
      const checkpoint = decodeCheckpoint(readFileSync(file), file)
      const { catalogue } = this.#head
      const templates = checkpoint.templates.map((template) =>
        Uint32Array.from(template, (labels) =>
          labels[0] === LOST_LABELS[0] && labels.length === 2 ? LOST_LABEL_SET : catalogue.labelSet(labels),
        ),
      )
      for (const { id, labels, stream, newestMs, template, ...kind } of checkpoint.groups) {
        const group = this.#head.restoreGroup(id, labels, stream, kind)
        group.addPositions(templates[template]!)
        group.newestMs = newestMs
      }
      return checkpoint.minValidMs
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      this.damageCount++
      this.#logger.error({ err: error }, 'checkpoint is damaged; series that only it knew are lost')
      return Number.NEGATIVE_INFINITY
    }
  }

  /**
   * Takes over the chunks and histograms that are not in `blocks`.
   *
   * @returns window start by number of the head-chunk file
   */
  loadChunks(blocks: readonly BlockMeta[]): Map<number, number> {
    const windows = new Map<number, number>()
    const byGroup = new Map<number, HeadChunk[]>()
    const inBlocks = new Set(blocks.flatMap((meta) => meta.headFiles ?? []))
    for (const file of listChunkFiles(this.#folders.chunks)) {
      // The process ended when it had just made it.
      if (isUnbegunChunkFile(this.#folders.chunks, file)) {
        removeChunkFile(this.#folders.chunks, file)
        continue
      }
      const loaded = loadChunkFile(this.#folders.chunks, file)
      if (loaded === undefined) {
        this.#logger.error({ file }, 'head chunk file has no readable header, it is left alone')
        continue
      }
      // The process ended between the publication of the block and the deletion of the file.
      if (inBlocks.has(file)) {
        removeChunkFile(this.#folders.chunks, file)
        continue
      }
      this.#reportDamage({ file }, loaded.damage)
      windows.set(file, loaded.windowStartMs)
      for (const bytes of loaded.chunks) this.#adoptChunk(bytes, file, byGroup)
    }
    for (const [id, chunks] of byGroup) {
      const group = this.#head.groups.get(id)!
      group.adoptChunks(chunks.sort((a, b) => a.minTimeMs - b.minTimeMs))
    }
    this.#loadHistograms()
    return windows
  }

  #loadHistograms(): void {
    const { histograms, catalogue } = this.#head
    for (const windowStartMs of listHistogramFiles(this.#folders.histograms)) {
      const { pages, damage } = loadHistogramPages(this.#folders.histograms, windowStartMs)
      this.#reportDamage({ windowStartMs }, damage)
      for (const { labels, bytes, ...times } of pages) histograms.adopt(catalogue.labelSet(labels), bytes, times)
    }
  }

  #reportDamage(place: Readonly<Record<string, number>>, damage: readonly { offset: number; length: number }[]): void {
    for (const range of damage) {
      this.damageCount++
      this.#logger.error({ ...place, ...range }, 'a file of the head is damaged; that part is passed over')
    }
  }

  #adoptChunk(bytes: Uint8Array, file: number, byGroup: Map<number, HeadChunk[]>): void {
    const { header } = new ChunkView(bytes.buffer, bytes.byteOffset)
    const group = this.#head.groups.get(header.group)
    if (group === undefined) {
      this.#logger.warn({ group: header.group, file }, 'head chunk of an unknown group is passed over')
      return
    }
    const known = byGroup.get(header.group) ?? []
    // Written twice when the answer to the first writing was lost.
    if (known.some((chunk) => header.minTimeMs <= chunk.maxTimeMs && header.maxTimeMs >= chunk.minTimeMs)) return
    const { memory } = this.#head
    const pointer = memory.allocate(bytes.length)
    memory.views.u8.set(bytes, pointer)
    const { rowCount, positionCount, minTimeMs, maxTimeMs } = header
    group.padPositions(positionCount)
    group.newestMs = Math.max(group.newestMs, maxTimeMs)
    byGroup.set(
      header.group,
      known.concat({ pointer, length: bytes.length, rowCount, positionCount, minTimeMs, maxTimeMs, file }),
    )
  }
}
