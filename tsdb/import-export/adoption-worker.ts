import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { AppError, invariant, serveRpc } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { importWal } from './import-wal.ts'
import { targetsOf, windowsOf, writeWindow } from './import-prometheus.ts'
import { makeBlocks } from './make-blocks.ts'
import { PrometheusBlock, type PrometheusMeta, readPrometheusMeta } from './prometheus-block-reader.ts'
import { listPrometheusBlocks, logSegmentsOf } from './prometheus-folder.ts'
import { prometheusFiles } from './prometheus-format.ts'

/** What the worker is started with. */
export interface AdoptionData {
  readonly sourceDir: string
  readonly staging: string
  /** Windows that end before it are left out. */
  readonly minTimeMs: number
  /** Exclusive. */
  readonly limitMs: number
}

/** Blocks in `staging`. */
export interface MadeUnit {
  readonly ulids: readonly string[]
  readonly samples: number
  /** Why there are none: the part is damaged, or of a newer version. */
  readonly failure?: string
  /** What was left out. */
  readonly warnings: readonly string[]
}

// Makes blocks of ours from those of a Prometheus and from its log, one part at a time, as it is told.
invariant(parentPort !== null, 'the import runs as a worker')
const { sourceDir, staging, minTimeMs, limitMs } = workerData as AdoptionData
const LOG = 'wal'
let open: { block: PrometheusBlock; targets: ReturnType<typeof targetsOf> } | undefined

serveRpc(parentPort, { plan, make })

/** Names of the parts: the log, then two hours of a block each, newest first. */
function plan(): string[] {
  const windows = readMetas().flatMap(([ulid, meta]) =>
    windowsOf({ ulid, minTimeMs: meta.minTime, maxTimeMs: meta.maxTime })
      .filter((window) => window.maxTimeMs >= minTimeMs && window.minTimeMs < limitMs)
      .map((window) => ({ ulid, window })),
  )
  windows.sort((a, b) => b.window.minTimeMs - a.window.minTimeMs)
  const parts = windows.map(({ ulid, window }) => `${ulid}@${window.minTimeMs}`)
  const { wal, wbl } = logSegmentsOf(sourceDir)
  return wal.length + wbl.length > 0 ? [LOG, ...parts] : parts
}

/** Without those that another one replaces. */
function readMetas(): [string, PrometheusMeta][] {
  const metas = listPrometheusBlocks(sourceDir).map((ulid): [string, PrometheusMeta] => [
    ulid,
    readPrometheusMeta(prometheusFiles(join(sourceDir, ulid)).meta),
  ])
  const replaced = new Set(metas.flatMap(([, { compaction }]) => (compaction?.parents ?? []).map(({ ulid }) => ulid)))
  return metas.filter(([ulid]) => !replaced.has(ulid))
}

async function make(unit: string): Promise<MadeUnit> {
  let samples = 0
  const warnings: string[] = []
  try {
    const { ulids } = await makeBlocks(staging, silentLogger, async (store) => {
      if (unit === LOG) {
        const blocksEndMs = Math.max(Number.NEGATIVE_INFINITY, ...readMetas().map(([, meta]) => meta.maxTime))
        const range = { minTimeMs: blocksEndMs, maxTimeMs: limitMs - 1 }
        samples = await importWal(store, join(sourceDir, 'wal'), range, (why) => warnings.push(why))
        for (const segment of logSegmentsOf(sourceDir).wbl) warnings.push(`${segment}: late samples are not read`)
        return
      }
      const [ulid, start] = unit.split('@')
      const { block, targets } = openBlock(ulid!)
      const window = windowsOf(block).find((one) => one.minTimeMs === Number(start))!
      const range = { minTimeMs: window.minTimeMs, maxTimeMs: Math.min(window.maxTimeMs, limitMs - 1) }
      samples = await writeWindow(store, block, targets, range)
    })
    return { ulids, samples, warnings }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ulids: [], samples: 0, failure: error.message, warnings }
  }
}

/** The parts of a block come one after the other. */
function openBlock(ulid: string): { block: PrometheusBlock; targets: ReturnType<typeof targetsOf> } {
  if (open?.block.ulid === ulid) return open
  open?.block.close()
  open = undefined
  const block = new PrometheusBlock(join(sourceDir, ulid))
  open = { block, targets: targetsOf(block) }
  return open
}
