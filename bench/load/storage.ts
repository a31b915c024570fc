// Bytes on disk per sample, after everything that gets merged is merged: the same samples in our blocks, in blocks of
// Prometheus' own block writer and in VictoriaMetrics. Ours are read back and compared bit for bit. Does not measure speed.
// Run: npm run bench -- storage [--seconds=300] [--recording=FOLDER] [--targets=6]
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { loadBelltower, loadPrometheus, loadVictoriaMetrics, type StoredSizes } from './storage-stores.ts'
import { inventPages, type PageSet, recordPages, withoutJitter } from './storage-pages.ts'
import { printTable, ratioText } from './table.ts'

const HOUR_MS = 3_600_000
const AGE_MS = 48 * HOUR_MS

export interface StorageOptions {
  /** How long real pages are recorded. */
  readonly seconds: number
  /** Folder with an earlier recording, or for this one. */
  readonly recording: string | undefined
  /** Number of invented hosts. */
  readonly targets: number
}

export async function runStorageBench({ seconds, recording, targets }: StorageOptions): Promise<void> {
  // Windows of every store begin at multiples of this.
  const startMs = Math.floor((Date.now() - AGE_MS) / (6 * HOUR_MS)) * 6 * HOUR_MS
  const recorded = await recordPages(startMs, seconds, recording)
  await compare(recorded)
  // Prometheus moves timestamps that are at most 2 ms late to where they should be.
  await compare(withoutJitter(recorded))
  if (targets > 0) await compare(inventPages(startMs, targets, 720))
}

async function compare(pages: PageSet): Promise<void> {
  const folder = makeBenchFolder()
  try {
    const sizes: StoredSizes[] = []
    for (const load of [loadBelltower, loadPrometheus, loadVictoriaMetrics]) {
      const own = join(folder, load.name)
      mkdirSync(own)
      const stored = await load(pages, own)
      if (stored !== undefined) sizes.push(stored)
    }
    print(pages, sizes)
  } finally {
    removeBenchFolder(folder)
  }
}

function print(pages: PageSet, sizes: readonly StoredSizes[]): void {
  let samples = 0
  let series = 0
  for (const target of pages.targets) {
    series += target.series.size
    for (const values of target.series.values()) for (const value of values) if (value !== undefined) samples++
  }
  const scrapes = pages.targets[0]!.timesMs.length
  console.log(`\n${pages.name}: ${series} series, ${scrapes} scrapes every 15 s, ${samples} samples`)
  const each = (bytes: number | undefined): string => (bytes === undefined ? '-' : (bytes / samples).toFixed(4))
  const [ours] = sizes
  printTable(
    ['bytes per sample', ...sizes.map(({ name }) => name)],
    [
      ['values', ...sizes.map(({ valueBytes }) => each(valueBytes))],
      ['timestamps', ...sizes.map(({ timestampBytes }) => each(timestampBytes))],
      ['index', ...sizes.map(({ indexBytes }) => each(indexBytes))],
      ['all', ...sizes.map(({ totalBytes }) => each(totalBytes))],
      ['all / belltower', ...sizes.map(({ totalBytes }) => ratioText(totalBytes, ours?.totalBytes))],
    ],
  )
}
