import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { wasmLockstep } from '../../kernels/index.ts'
import { type Clock, type Logger, PlainHttpClient, type Registry, Turns } from '../../lib/index.ts'
import { gaugeOf } from '../../lib/metrics.ts'
import {
  type Appendable,
  type GroupAppendable,
  type Labels,
  labelsText,
  type MetricMetadata,
} from '../../model/index.ts'
import type { ScrapeConfig, ScraperConfig } from '../config.ts'
import { sameButSources } from '../discovery/target-sources.ts'
import { PageMemory } from './page-memory.ts'
import { RetiredRows } from './retired-rows.ts'
import type { ScrapeLoop } from './scrape-loop.ts'
import { createScrapeMetrics } from './scrape-metrics.ts'
import { ScrapePool, type ScrapePoolParts } from './scrape-pool.ts'
import { Ticker } from './ticker.ts'
import type { InProcessTarget } from './transport.ts'

export interface ScrapeManagerParts {
  readonly store: GroupAppendable
  /** Takes samples that carry their own time; without it they get the scrape's time. */
  readonly appendable?: Appendable
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Targets inside this process by address, e.g. `belltower:self`. */
  readonly inProcess: ReadonlyMap<string, InProcessTarget>
  /** For the User-Agent header. */
  readonly version: string
  /** A zero is stored at the time at which a counter says that it began; default false. Protobuf is asked for first then. */
  readonly createdZeros?: boolean
}

/** A target as the API shows it. */
export interface ActiveTarget {
  readonly discoveredLabels: Labels
  readonly labels: Labels
  readonly scrapePool: string
  readonly scrapeUrl: string
  readonly health: 'unknown' | 'up' | 'down'
  /** '' when the last scrape went well. */
  readonly lastError: string
  /** Unix milliseconds, 0 before the first scrape. */
  readonly lastScrapeMs: number
  readonly lastScrapeDurationMs: number
  readonly scrapeIntervalMs: number
  readonly scrapeTimeoutMs: number
}

export interface DroppedTarget {
  readonly scrapePool: string
  readonly discoveredLabels: Labels
}

export interface TargetMetadata {
  readonly target: Labels
  /** By metric family. */
  readonly metadata: ReadonlyMap<string, MetricMetadata>
}

export interface ScrapeManager {
  /**
   * Makes the configuration the running one. Pools whose configuration is the same keep their loops and state; targets that
   * stay keep their series.
   *
   * @throws {RelabelError} before anything has changed
   */
  apply(config: ScraperConfig): Promise<void>
  /** Stops all loops; nothing goes stale. */
  stop(): Promise<void>
  targets(): ActiveTarget[]
  droppedTargets(): DroppedTarget[]
  /** All dropped targets by pool, also those no longer kept. */
  droppedTargetCounts(): Record<string, number>
  /** What targets said about their metrics in their last good page. Read from the pages when asked. */
  metadata(filter?: (target: Labels) => boolean): TargetMetadata[]
  /** Names, sorted. */
  scrapePools(): string[]
  scrapePoolConfig(name: string): ScrapeConfig | undefined
}

// Connections outlive the pause between two scrapes; few intervals are longer.
const KEEP_ALIVE_MS = 300_000

export function createScrapeManager(parts: ScrapeManagerParts): ScrapeManager {
  return new Manager(parts)
}

class Manager implements ScrapeManager {
  readonly #logger: Logger
  readonly #retired: RetiredRows
  readonly #plainClient: PlainHttpClient
  readonly #poolParts: Omit<ScrapePoolParts, 'seed'>
  #pools = new Map<string, ScrapePool>()

  constructor(parts: ScrapeManagerParts) {
    const { clock, store, registry } = parts
    this.#logger = parts.logger.child({ module: 'scraper' })
    this.#retired = new RetiredRows(clock, this.#logger)
    const memory = new PageMemory(wasmLockstep)
    const buffers = { read: memory.receiver(), unpack: memory.receiver() }
    this.#plainClient = new PlainHttpClient({ keepAliveMs: KEEP_ALIVE_MS, buffers })
    gaugeOf(
      registry,
      'belltower_scrape_page_memory_bytes',
      'Memory that holds the last page of each target.',
      () => memory.reservedBytes,
    )
    this.#poolParts = {
      clock,
      ticker: new Ticker(clock),
      logger: this.#logger,
      metrics: createScrapeMetrics(registry, clock),
      rows: { memory, store, appendable: parts.appendable },
      retired: this.#retired,
      inProcess: parts.inProcess,
      plainClient: this.#plainClient,
      userAgent: `Belltower/${parts.version}`,
      createdZeros: parts.createdZeros ?? false,
    }
  }

  async apply(config: ScraperConfig): Promise<void> {
    const turns = new Turns()
    const seed = `${hostname()}\0${labelsText(config.global.externalLabels)}`
    const kept = new Map<string, ScrapePool>()
    const fresh: ScrapePool[] = []
    const changed: [ScrapePool, ScrapeConfig][] = []
    for (const one of config.scrapeConfigs) {
      const running = this.#pools.get(one.jobName)
      if (running && sameButSources(running.config, one)) {
        kept.set(one.jobName, running)
        if (!isDeepStrictEqual(running.config, one)) changed.push([running, one])
      } else fresh.push(new ScrapePool(one, { ...this.#poolParts, seed }))
    }
    const ended = [...this.#pools.values()].filter((pool) => kept.get(pool.config.jobName) !== pool)
    this.#pools = new Map(config.scrapeConfigs.map((one) => [one.jobName, kept.get(one.jobName) ?? find(fresh, one)]))
    // The old ones hand their rows over before the new ones look for them.
    await Promise.all(ended.map((pool) => pool.stop(true)))
    if (turns.isOver) await turns.next()
    const started = fresh.map((pool) => pool.start())
    this.#poolParts.metrics.pools.inc(fresh.length)
    await Promise.all([...started, ...changed.map(([pool, one]) => pool.changeSources(one))])
    const reloads = ended.length + changed.length
    if (reloads > 0) this.#poolParts.metrics.poolReloads.inc(reloads)
    this.#logger.info(
      { pools: this.#pools.size, changed: fresh.length + changed.length, ended: ended.length },
      'scrape configuration applied',
    )
  }

  async stop(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools = new Map()
    await Promise.all(pools.map((pool) => pool.stop(false)))
    this.#plainClient.close()
    this.#retired.close()
  }

  targets(): ActiveTarget[] {
    return this.#eachLoop(({ target, health, lastError, lastScrapeMs, lastDurationMs }, scrapePool) => ({
      discoveredLabels: target.discoveredLabels,
      labels: target.labels,
      scrapePool,
      scrapeUrl: target.url,
      health,
      lastError,
      lastScrapeMs,
      lastScrapeDurationMs: lastDurationMs,
      scrapeIntervalMs: target.intervalMs,
      scrapeTimeoutMs: target.timeoutMs,
    }))
  }

  droppedTargets(): DroppedTarget[] {
    return [...this.#pools].flatMap(([scrapePool, pool]) =>
      pool.droppedTargets.map((discoveredLabels) => ({ scrapePool, discoveredLabels })),
    )
  }

  droppedTargetCounts(): Record<string, number> {
    return Object.fromEntries([...this.#pools].map(([name, pool]) => [name, pool.droppedTargetCount]))
  }

  metadata(filter: (target: Labels) => boolean = () => true): TargetMetadata[] {
    return this.#eachLoop(({ target, rows }) =>
      filter(target.labels) ? { target: target.labels, metadata: rows.metadata() } : undefined,
    ).filter((entry) => entry !== undefined)
  }

  scrapePools(): string[] {
    return [...this.#pools.keys()].sort()
  }

  scrapePoolConfig(name: string): ScrapeConfig | undefined {
    return this.#pools.get(name)?.config
  }

  #eachLoop<T>(read: (loop: ScrapeLoop, poolName: string) => T): T[] {
    return [...this.#pools].flatMap(([name, pool]) => Array.from(pool.loops, (loop) => read(loop, name)))
  }
}

function find(pools: readonly ScrapePool[], config: ScrapeConfig): ScrapePool {
  return pools.find((pool) => pool.config === config)!
}
