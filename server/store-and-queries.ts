/** The store, and what answers queries on it from the moment on when there are blocks to read. */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Logger, Registry, Turns } from '../lib/index.ts'
import { openTsdb, storePlaceOf, type Tsdb, type TsdbSettings } from '../tsdb/index.ts'
import type { LoadedConfig } from './config/load.ts'
import { ActiveQueryFile } from './query/active-query-file.ts'
import type { WaitingWorker } from './query/early-start.ts'
import { QueryLog } from './query/query-log.ts'
import { QueryPool } from './query/query-pool.ts'
import type { EngineSettings } from './query/query-worker.ts'
import { registerQueryMetrics } from './self-metrics.ts'
import type { Settings } from './settings.ts'

/** What answers queries. */
export class QuerySide {
  readonly pool: QueryPool
  readonly log: QueryLog
  readonly #activeFile: ActiveQueryFile

  constructor(
    tsdb: Pick<Tsdb, 'attachReader'>,
    { clock, logger, registry, firstWorker }: StoreAndQueriesOptions,
    setup: { readonly folder: string; readonly workerCount: number; readonly settings: EngineSettings },
  ) {
    const queryLogger = logger.child({ module: 'query' })
    this.log = new QueryLog(queryLogger)
    this.#activeFile = ActiveQueryFile.open(join(setup.folder, 'queries.active'), queryLogger)
    this.pool = new QueryPool({
      tsdb,
      clock,
      logger: queryLogger,
      workerCount: setup.workerCount,
      firstWorker,
      settings: setup.settings,
      activeFile: this.#activeFile,
    })
    registerQueryMetrics(registry, this.pool)
  }

  async close(): Promise<void> {
    await this.pool.close()
    this.#activeFile.close()
    await this.log.close()
  }
}

export interface StoreAndQueriesOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** A query worker that has been started already. */
  readonly firstWorker?: WaitingWorker | undefined
  /** When others have theirs while the newest samples are read back. */
  readonly turns?: Turns | undefined
  /** Called once, before the newest samples are read back: what answers queries, until then from blocks alone. */
  readonly onQueries?: ((queries: QuerySide, registry: Registry) => void) | undefined
}

/** Resolves when all of the store is there. @throws why it cannot be opened; nothing is left open then */
export async function openStoreAndQueries(
  config: LoadedConfig,
  settings: Settings,
  options: StoreAndQueriesOptions,
): Promise<{ tsdb: Tsdb; queries: QuerySide }> {
  const { clock, logger, registry, turns, onQueries } = options
  const place = storePlaceOf(settings.dataDir)
  const begun: QuerySide[] = []
  const onBlocks = (readers: Pick<Tsdb, 'attachReader'>): void => {
    const queries = new QuerySide(readers, options, {
      folder: place.dataDir,
      workerCount: settings.queryWorkers,
      settings: engineSettings(config, settings),
    })
    begun.push(queries)
    onQueries?.(queries, registry)
  }
  try {
    const tsdb = await openTsdb(
      {
        ...place,
        ...storeSettings(config, settings),
        clock,
        logger: logger.child({ module: 'tsdb' }),
        registry,
        blockDurationMs: settings.blockDurationMs,
        walSegmentBytesMax: settings.walSegmentBytes,
        checkpointLogBytes: settings.walSegmentBytes,
      },
      { onBlocks, ...(turns && { turns }) },
    )
    return { tsdb, queries: begun[0]! }
  } catch (error) {
    for (const queries of begun) await queries.close()
    throw error
  }
}

/** What of a configuration concerns the store. */
export const storeSettings = (config: LoadedConfig, settings: Settings): TsdbSettings => ({
  retentionMs: config.retention.timeMs ?? settings.retentionMs,
  retentionBytes: retentionBytesOf(config.retention, settings),
  outOfOrderTimeWindowMs: config.outOfOrderTimeWindowMs,
  exemplarsMax: config.exemplarsMax,
  retentionRules: config.retentionRules,
  tiers: config.tiers,
})

export const engineSettings = (config: LoadedConfig, settings: Settings): EngineSettings => ({
  lookbackDeltaMs: settings.lookbackDeltaMs,
  evaluationIntervalMs: config.global.evaluationIntervalMs,
  maxSamples: settings.queryMaxSamples,
  promql: settings.promql,
})

/** A share counts for the disk as it is now. */
function retentionBytesOf({ bytes, percentage }: LoadedConfig['retention'], settings: Settings): number {
  if (percentage === undefined) return bytes ?? settings.retentionBytes
  const { blocks, bsize } = statfsSync(settings.dataDir)
  return Math.floor((blocks * bsize * percentage) / 100)
}
