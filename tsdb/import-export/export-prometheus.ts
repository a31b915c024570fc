import { mkdirSync } from 'node:fs'
import { syncFolder } from '../files.ts'
import type { Tsdb } from '../tsdb.ts'
import { newUlid } from '../ulid.ts'
import { packChunks } from './pack-chunks.ts'
import { PrometheusBlockWriter } from './prometheus-block-writer.ts'
import { type OnProgress, type Selection, walkStore } from './store-walk.ts'

/** As long as the blocks that Prometheus makes first, and aligned alike. */
const BLOCK_MS = 2 * 3_600_000

export interface ExportSummary {
  readonly blocks: number
  readonly samples: number
}

/**
 * Writes what the store holds as blocks of Prometheus, each of two hours. Blocks appear in the folder one by one, complete.
 *
 * @param outputDir made if missing
 */
export async function exportPrometheus(
  store: Tsdb,
  outputDir: string,
  selection: Selection & { readonly onProgress?: OnProgress | undefined } = {},
): Promise<ExportSummary> {
  mkdirSync(outputDir, { recursive: true })
  let blocks = 0
  let samples = 0
  let writer: PrometheusBlockWriter | undefined
  try {
    await walkStore(store, selection, {
      windowMs: BLOCK_MS,
      onProgress: selection.onProgress,
      onSeries: (column, window) => {
        writer ??= new PrometheusBlockWriter(outputDir, newUlid(window.minTimeMs))
        writer.add(column.labels, packChunks(column))
      },
      afterWindow: async () => {
        if (writer === undefined) return
        samples += (await writer.finish()).samples
        writer = undefined
        blocks++
      },
    })
  } catch (error) {
    writer?.discard()
    throw error
  }
  await syncFolder(outputDir)
  return { blocks, samples }
}
