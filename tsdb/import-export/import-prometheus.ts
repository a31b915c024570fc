import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../lib/index.ts'
import { type Labels, labelsKey, type NativeHistogram, projectLabels, type TimeRange } from '../../model/index.ts'
import { ULID_PATTERN } from '../block/block-folder.ts'
import type { Tsdb } from '../tsdb-interface.ts'
import { BlockImport, type ImportSummary } from './block-import.ts'
import { ImportError } from './errors.ts'
import { IMPORT_WINDOW_MS } from './make-blocks.ts'
import { PrometheusBlock } from './prometheus-block-reader.ts'
import type { OnProgress } from './store-walk.ts'
import { type SeriesSamples, TARGET_LABELS, writeTarget } from './window-samples.ts'

/**
 * Brings the blocks in a Prometheus' data folder (or one block) into a data folder that no server has open. What the other
 * Prometheus has not made a block of yet stays behind.
 *
 * @param dataDir made if missing
 * @throws {ImportError} when there is no block
 * @throws {CorruptionError} when one cannot be read; nothing was imported then
 * @throws {DataFolderLockedError}
 */
export async function importPrometheus(
  dataDir: string,
  sourceDir: string,
  options: { readonly logger: Logger; readonly onProgress?: OnProgress | undefined },
): Promise<ImportSummary> {
  const blocks = openBlocks(sourceDir)
  let job: BlockImport | undefined
  try {
    job = await BlockImport.start(dataDir, options.logger)
    const windows = blocks.flatMap((block) => windowsOf(block).map((window) => ({ block, window })))
    let targets = new Map<string, Target>()
    let known: PrometheusBlock | undefined
    for (const [i, { block, window }] of windows.entries()) {
      options.onProgress?.(i, windows.length)
      if (known !== block) targets = targetsOf(block)
      known = block
      await job.window(async (store) => {
        job!.samples += await writeWindow(store, block, targets, window)
      })
    }
    options.onProgress?.(windows.length, windows.length)
  } catch (error) {
    await job?.discard()
    throw error
  } finally {
    for (const block of blocks) block.close()
  }
  return job.finish()
}

function openBlocks(sourceDir: string): PrometheusBlock[] {
  const folders = existsSync(join(sourceDir, 'meta.json'))
    ? [sourceDir]
    : (existsSync(sourceDir) ? readdirSync(sourceDir) : [])
        .filter((name) => ULID_PATTERN.test(name))
        .map((name) => join(sourceDir, name))
  if (folders.length === 0) throw new ImportError(`there is no block of Prometheus in ${sourceDir}`)
  const blocks: PrometheusBlock[] = []
  try {
    for (const folder of folders) blocks.push(new PrometheusBlock(folder))
  } catch (error) {
    for (const block of blocks) block.close()
    throw error
  }
  return blocks.sort((a, b) => a.minTimeMs - b.minTimeMs)
}

const WINDOWS_MAX = 10 * 366 * 12

/** Of the samples of a block, whose times its description may round. */
export function windowsOf(block: { ulid: string; minTimeMs: number; maxTimeMs: number }): TimeRange[] {
  const windows: TimeRange[] = []
  const first = Math.floor(block.minTimeMs / IMPORT_WINDOW_MS) * IMPORT_WINDOW_MS
  if ((block.maxTimeMs - first) / IMPORT_WINDOW_MS > WINDOWS_MAX) {
    throw new ImportError(`the block ${block.ulid} says that it covers more than ten years`)
  }
  for (let at = first; at < block.maxTimeMs; at += IMPORT_WINDOW_MS) {
    windows.push({ minTimeMs: at, maxTimeMs: at + IMPORT_WINDOW_MS - 1 })
  }
  return windows
}

export interface Target {
  readonly labels: Labels
  /** Of its series. */
  readonly references: number[]
}

export function targetsOf(block: PrometheusBlock): Map<string, Target> {
  const targets = new Map<string, Target>()
  for (const reference of block.index.references()) {
    const labels = projectLabels(block.index.series(reference).labels, TARGET_LABELS, true)
    const key = labelsKey(labels)
    const target = targets.get(key) ?? { labels, references: [] }
    targets.set(key, target)
    target.references.push(reference)
  }
  return targets
}

/** @returns how many samples it has written */
export async function writeWindow(
  store: Tsdb,
  block: PrometheusBlock,
  targets: ReadonlyMap<string, Target>,
  window: TimeRange,
): Promise<number> {
  let samples = 0
  for (const { labels, references } of targets.values()) {
    const series = references.map((reference) => readSeries(block, reference, window)).filter(hasSamples)
    samples += series.reduce((sum, { timestampsMs }) => sum + timestampsMs.length, 0)
    if (series.length > 0) await writeTarget(store, labels, series)
  }
  return samples
}

const hasSamples = ({ timestampsMs }: SeriesSamples): boolean => timestampsMs.length > 0

function readSeries(block: PrometheusBlock, reference: number, window: TimeRange): SeriesSamples {
  const found = block.index.series(reference)
  const timestampsMs: number[] = []
  const words: number[] = []
  const histograms = new Map<number, NativeHistogram>()
  // Overlapping chunks are rare but allowed: what does not come in order is left out, as Prometheus does when it merges.
  const isNext = (timeMs: number): boolean => timestampsMs.length === 0 || timeMs > timestampsMs.at(-1)!
  block.samples(found, reference, window, {
    float: (timeMs, low, high) => {
      if (!isNext(timeMs)) return
      timestampsMs.push(timeMs)
      words.push(low, high)
    },
    histogram: (timeMs, histogram) => {
      if (!isNext(timeMs)) return
      histograms.set(timestampsMs.length, histogram)
      timestampsMs.push(timeMs)
      words.push(0, 0)
    },
  })
  return { labels: found.labels, timestampsMs, words, histograms }
}
