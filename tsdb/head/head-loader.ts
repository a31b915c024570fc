import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger, Turns } from '../../lib/index.ts'
import type { BlockMeta } from '../block/meta.ts'
import {
  chunkFileName,
  chunksIn,
  type DamagedRange,
  isUnbegunChunkFile,
  listChunkFiles,
  removeChunkFile,
  windowOfChunkFile,
} from '../chunk/head-chunk-file.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { CorruptionError } from '../errors.ts'
import { readInTurns } from '../files.ts'
import { listHistogramFiles, loadHistogramPages } from '../histogram/head-histogram-file.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import type { StoreFolders } from '../store-folders.ts'
import { checkpointSteps, LOST_LABELS } from '../wal/checkpoint.ts'
import type { HeadChunk } from './pieces.ts'
import type { Head } from './head.ts'

/** Brings back what an earlier run left of the head beside the log: the checkpoint, chunks, histograms. */
export class HeadLoader {
  /** Damaged places that were passed over. */
  damageCount = 0
  readonly #head: Head
  readonly #folders: StoreFolders
  readonly #logger: Logger
  readonly #turns: Turns

  /** @param turns when others have theirs */
  constructor(head: Head, folders: StoreFolders, logger: Logger, turns: Turns) {
    this.#turns = turns
    this.#head = head
    this.#folders = folders
    this.#logger = logger
  }

  /** @returns from when on samples were still taken */
  async loadCheckpoint(): Promise<number> {
    const file = this.#folders.checkpoint
    if (!existsSync(file)) return Number.NEGATIVE_INFINITY
    try {
      const checkpoint = await this.#inTurns(checkpointSteps(await readInTurns(file, this.#turns), file))
      const { catalogue } = this.#head
      const templates: Uint32Array[] = []
      for (const template of checkpoint.templates) {
        const labelSets = Uint32Array.from(template, (labels) =>
          labels[0] === LOST_LABELS[0] && labels.length === 2 ? LOST_LABEL_SET : catalogue.labelSet(labels),
        )
        templates.push(labelSets)
        if (this.#turns.isOver) await this.#turns.next()
      }
      for (const { id, labels, stream, newestMs, template, ...kind } of checkpoint.groups) {
        const group = this.#head.restoreGroup(id, labels, stream, kind)
        group.addPositions(templates[template]!)
        group.newestMs = newestMs
        if (this.#turns.isOver) await this.#turns.next()
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
  async loadChunks(blocks: readonly BlockMeta[]): Promise<Map<number, number>> {
    const windows = new Map<number, number>()
    const byGroup = new Map<number, HeadChunk[]>()
    const inBlocks = new Set(blocks.flatMap((meta) => meta.headFiles ?? []))
    for (const file of listChunkFiles(this.#folders.chunks)) {
      // The process ended when it had just made it.
      if (isUnbegunChunkFile(this.#folders.chunks, file)) {
        removeChunkFile(this.#folders.chunks, file)
        continue
      }
      const bytes = await readInTurns(join(this.#folders.chunks, chunkFileName(file)), this.#turns)
      const windowStartMs = windowOfChunkFile(bytes, this.#folders.chunks, file)
      if (windowStartMs === undefined) {
        this.#logger.error({ file }, 'head chunk file has no readable header, it is left alone')
        continue
      }
      // The process ended between the publication of the block and the deletion of the file.
      if (inBlocks.has(file)) {
        removeChunkFile(this.#folders.chunks, file)
        continue
      }
      windows.set(file, windowStartMs)
      const damage: DamagedRange[] = []
      for (const chunk of chunksIn(bytes, damage)) {
        this.#adoptChunk(chunk, file, byGroup)
        if (this.#turns.isOver) await this.#turns.next()
      }
      this.#reportDamage({ file }, damage)
    }
    for (const [id, chunks] of byGroup) {
      const group = this.#head.groups.get(id)!
      group.adoptChunks(chunks.sort((a, b) => a.minTimeMs - b.minTimeMs))
      if (this.#turns.isOver) await this.#turns.next()
    }
    await this.#loadHistograms()
    return windows
  }

  async #inTurns<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      if (this.#turns.isOver) await this.#turns.next()
    }
  }

  async #loadHistograms(): Promise<void> {
    const { histograms, catalogue } = this.#head
    for (const windowStartMs of listHistogramFiles(this.#folders.histograms)) {
      const { pages, damage } = loadHistogramPages(this.#folders.histograms, windowStartMs)
      this.#reportDamage({ windowStartMs }, damage)
      for (const { labels, bytes, ...times } of pages) {
        histograms.adopt(catalogue.labelSet(labels), bytes, times)
        if (this.#turns.isOver) await this.#turns.next()
      }
    }
  }

  #reportDamage(place: Readonly<Record<string, number>>, damage: readonly DamagedRange[]): void {
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
