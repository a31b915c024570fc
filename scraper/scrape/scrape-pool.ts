import { type Clock, type HttpClient, type Logger, type PlainHttpClient, Turns } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import type { Labels } from '../../model/index.ts'
import { NATIVE_SCRAPE_PROTOCOLS, type ScrapeConfig } from '../config.ts'
import type { Discovery, TargetGroup } from '../discovery/discovery.ts'
import type { DiscoveryParts } from '../discovery/poll.ts'
import { createDiscoveries, type NamedDiscovery } from '../discovery/target-sources.ts'
import { compileRelabel } from '../relabel/relabel.ts'
import { buildTarget, type HistogramChoices, type Target } from '../targets/target.ts'
import { BuiltTargets } from './built-targets.ts'
import { FailureLog } from './failure-log.ts'
import { schemaOfFactor } from './histogram-buckets.ts'
import type { RetiredRows } from './retired-rows.ts'
import { ScrapeLoop } from './scrape-loop.ts'
import type { ScrapeMetrics } from './scrape-metrics.ts'
import type { TargetRowsRules } from './target-rules.ts'
import { TargetRows, type TargetRowsParts } from './target-rows.ts'
import type { Ticker } from './ticker.ts'
import {
  httpTransport,
  type InProcessTarget,
  inProcessTransport,
  KEEP_ALIVE_MIN_MS,
  type Transport,
} from './transport.ts'

export interface ScrapePoolParts {
  readonly clock: Clock
  readonly ticker: Ticker
  readonly logger: Logger
  readonly metrics: ScrapeMetrics
  readonly rows: TargetRowsParts
  readonly retired: RetiredRows
  readonly inProcess: ReadonlyMap<string, InProcessTarget>
  readonly plainClient: PlainHttpClient
  readonly userAgent: string
  readonly createdZeros: boolean
  readonly seed: string
}

// How long targets of sources that are no longer asked stay, while new sources have not told theirs.
const SOURCES_PATIENCE_MS = 5000
// First scrapes of many targets are spread, so that a start is no burst.
const FIRST_SCRAPES_PER_MS = 1
// Making a list of so many targets was a turn's work already.
const LONG_LIST = 1000

/** One `scrape_configs` entry at work: its discoveries, its targets, a loop for each. */
export class ScrapePool {
  #config: ScrapeConfig
  readonly #parts: ScrapePoolParts
  /** Histograms aside, which each target has its own about. */
  readonly #rules: Omit<TargetRowsRules, keyof HistogramChoices>
  #lastRules: { readonly choices: HistogramChoices; readonly rules: TargetRowsRules } | undefined
  readonly #client: HttpClient
  readonly #httpTransport: Transport
  readonly #failureLog: FailureLog | undefined
  #discoveries: readonly NamedDiscovery[]
  readonly #groups = new Map<Discovery, readonly TargetGroup[]>()
  readonly #built: BuiltTargets
  readonly #loops = new Map<string, ScrapeLoop>()
  #limitError: string | undefined
  #dropped: readonly Labels[] = []
  #droppedCount = 0
  /** New sources that have told nothing yet; targets stay as they are until then. */
  readonly #awaited = new Set<Discovery>()
  #cancelPatience: (() => void) | undefined
  #stopped = false
  #isSyncing = false
  #isSyncWanted = false
  #synced: Promise<void> = Promise.resolve()

  /** @throws {RelabelError} */
  constructor(config: ScrapeConfig, parts: ScrapePoolParts) {
    this.#config = config
    this.#parts = parts
    const relabel = compileRelabel(config.relabelConfigs ?? [])
    this.#built = new BuiltTargets((discovered) => buildTarget(discovered, this.#config, relabel))
    this.#rules = { ...rowRules(config), createdZeros: parts.createdZeros }
    this.#client = createHttpClient(config.http, {
      keepAliveMs: Math.max(KEEP_ALIVE_MIN_MS, config.scrapeIntervalMs * 2),
    })
    // Only protobuf says of every series since when it counts.
    const scrapeProtocols = config.scrapeProtocols ?? (parts.createdZeros ? NATIVE_SCRAPE_PROTOCOLS : undefined)
    this.#httpTransport = httpTransport(
      { client: this.#client, plainClient: parts.plainClient, userAgent: parts.userAgent },
      { ...config, scrapeProtocols },
    )
    this.#failureLog =
      config.scrapeFailureLogFile === undefined ? undefined : new FailureLog(config.scrapeFailureLogFile, parts)
    this.#discoveries = this.#createDiscoveries([])
  }

  get config(): ScrapeConfig {
    return this.#config
  }

  get loops(): Iterable<ScrapeLoop> {
    return this.#loops.values()
  }

  /** Discovered labels of targets that relabelling dropped, at most as many as the configuration keeps. */
  get droppedTargets(): readonly Labels[] {
    return this.#dropped
  }

  get droppedTargetCount(): number {
    return this.#droppedCount
  }

  /** Resolves when what its sources tell at once is being scraped. */
  start(): Promise<void> {
    const { metrics } = this.#parts
    const labels = { scrape_job: this.#config.jobName }
    metrics.poolTargetLimit.set(labels, this.#config.targetLimit ?? 0)
    // There before anything happens, so that its first increase is seen.
    metrics.syncFailed.inc(labels, 0)
    for (const one of this.#discoveries) this.#run(one)
    return this.#synced
  }

  /**
   * The same job with targets from elsewhere: those that stay are scraped on without a pause, sources that stay go on.
   *
   * @param config differs from the one before in its sources alone
   */
  async changeSources(config: ScrapeConfig): Promise<void> {
    const turns = new Turns()
    const before = this.#discoveries
    this.#config = config
    this.#discoveries = this.#createDiscoveries(before)
    const fresh = this.#discoveries.filter((one) => !before.includes(one))
    const ended = before.filter((one) => !this.#discoveries.includes(one))
    this.#awaited.clear()
    for (const { discovery } of fresh) this.#awaited.add(discovery)
    this.#cancelPatience?.()
    this.#cancelPatience = this.#parts.clock.schedule(SOURCES_PATIENCE_MS, () => this.#takeSources())
    if (turns.isOver) await turns.next()
    for (const one of fresh) this.#run(one)
    if (fresh.length === 0) this.#takeSources()
    await Promise.all([this.#synced, ...ended.map(({ discovery }) => discovery.stop())])
  }

  /** @param retire true hands the rows on for whoever continues them; false is for shutdown */
  async stop(retire: boolean): Promise<void> {
    this.#stopped = true
    this.#cancelPatience?.()
    await Promise.all(this.#discoveries.map(({ discovery }) => discovery.stop()))
    await this.#synced
    const loops = [...this.#loops.values()]
    this.#loops.clear()
    const stopping = loops.map((loop) => loop.stop())
    await Promise.all([this.#client.close(), ...stopping])
    await this.#failureLog?.close()
    const turns = new Turns()
    for (const { target, rows, lastScrapeMs } of loops) {
      if (turns.isOver) await turns.next()
      if (retire) this.#parts.retired.retire(target, rows, lastScrapeMs)
      else rows.close()
    }
    if (retire) this.#forgetMetrics()
  }

  #forgetMetrics(): void {
    const { poolTargets, poolTargetLimit, poolSyncs, syncLength, syncFailed, discovery } = this.#parts.metrics
    for (const metric of [poolTargets, poolTargetLimit, poolSyncs, syncLength, syncFailed])
      metric.remove({ scrape_job: this.#config.jobName })
    const mechanisms = new Set(this.#discoveries.map(({ name }) => name))
    discovery.forget(this.#config.jobName, mechanisms)
  }

  #createDiscoveries(running: readonly NamedDiscovery[]): NamedDiscovery[] {
    const { clock, logger, metrics } = this.#parts
    const config = this.#config.jobName
    const partsOf = (mechanism: string): DiscoveryParts => ({
      clock,
      logger,
      ...metrics.discovery.hearing(mechanism, config),
    })
    return createDiscoveries(this.#config, partsOf, running)
  }

  #run({ name, discovery }: NamedDiscovery): void {
    if (this.#stopped) return
    this.#parts.metrics.discovery.begin(name, this.#config.jobName)
    discovery.run((groups) => {
      this.#parts.metrics.discovery.received()
      this.#groups.set(discovery, groups)
      this.#awaited.delete(discovery)
      if (this.#awaited.size === 0) this.#takeSources()
    })
  }

  /** Only what the sources of now tell counts. */
  #takeSources(): void {
    this.#cancelPatience?.()
    this.#cancelPatience = undefined
    this.#awaited.clear()
    const present = new Set(this.#discoveries.map(({ discovery }) => discovery))
    for (const discovery of this.#groups.keys()) if (!present.has(discovery)) this.#groups.delete(discovery)
    this.#sync()
  }

  /** Brings the loops in line with what the sources list. */
  #sync(): void {
    this.#isSyncWanted = true
    if (!this.#isSyncing) this.#synced = this.#syncAll()
  }

  async #syncAll(): Promise<void> {
    this.#isSyncing = true
    try {
      while (this.#isSyncWanted && !this.#stopped) {
        this.#isSyncWanted = false
        await this.#syncOnce(new Turns())
      }
    } catch (error) {
      this.#parts.logger.error({ err: error, job: this.#config.jobName }, 'targets could not be brought up to date')
    } finally {
      this.#isSyncing = false
    }
  }

  /** A short list is taken over without a pause; during a longer one others get their turns. */
  async #syncOnce(turns: Turns): Promise<void> {
    const { metrics } = this.#parts
    const labels = { scrape_job: this.#config.jobName }
    const done = metrics.syncLength.startTimer(labels)
    const targets = await this.#buildTargets(turns)
    if (this.#stopped) return
    this.#applyTargetLimit(targets.size)
    for (const [key, loop] of this.#loops) {
      if (turns.isOver) await turns.next()
      if (this.#stopped) return
      if (targets.has(key)) continue
      this.#loops.delete(key)
      void loop.stop()
      this.#parts.retired.retire(loop.target, loop.rows, loop.lastScrapeMs)
    }
    for (const [key, target] of targets) {
      if (turns.isOver) await turns.next()
      if (this.#stopped) return
      if (!this.#loops.has(key)) this.#add(key, target, targets.size)
    }
    metrics.poolTargets.set(labels, this.#loops.size)
    metrics.poolSyncs.inc(labels)
    metrics.discovery.setTargets(this.#config.jobName, this.#discoveredCount())
    done()
  }

  #discoveredCount(): number {
    return [...this.#groups.values()].flat().reduce((sum, group) => sum + group.targets.length, 0)
  }

  async #buildTargets(turns: Turns): Promise<Map<string, Target>> {
    const targets = new Map<string, Target>()
    const dropped: Labels[] = []
    let droppedCount = 0
    const keep = this.#config.keepDroppedTargets ?? 0
    if (this.#discoveredCount() >= LONG_LIST) await turns.next()
    for (const results of await this.#built.of([...this.#groups.values()].flat(), turns)) {
      if (turns.isOver) await turns.next()
      for (const result of results) {
        if (result.kind === 'active') targets.set(result.target.key, result.target)
        else if (result.kind === 'dropped') {
          if (keep === 0 || droppedCount < keep) dropped.push(result.discoveredLabels)
          droppedCount++
        } else {
          this.#parts.metrics.syncFailed.inc({ scrape_job: this.#config.jobName })
          this.#parts.logger.error({ why: result.why, labels: result.discoveredLabels }, 'target is not usable')
        }
      }
    }
    this.#dropped = dropped
    this.#droppedCount = droppedCount
    return targets
  }

  #add(key: string, target: Target, targetCount: number): void {
    const { clock, ticker, logger, metrics, seed } = this.#parts
    const held = this.#parts.retired.take(target.labels)
    const rules = this.#rulesOf(target.histograms)
    held?.rows.changeRules(rules)
    const rows = held?.rows ?? new TargetRows(this.#parts.rows, target.labels, rules)
    const source = this.#parts.inProcess.get(target.address)
    const transport = source ? inProcessTransport(source, this.#config) : this.#httpTransport
    const sampleLimit = this.#rules.sampleLimit
    const failureLog = this.#failureLog
    const { jobName } = this.#config
    const onFailure = failureLog && ((why: string): void => failureLog.add(jobName, target.url, why))
    const loop = new ScrapeLoop(target, rows, {
      clock,
      ticker,
      logger,
      metrics,
      transport,
      seed,
      sampleLimit,
      onFailure,
    })
    loop.forcedError = this.#limitError
    this.#loops.set(key, loop)
    const spreadMs = targetCount / FIRST_SCRAPES_PER_MS
    if (held) loop.resume(held.lastScrapeMs)
    else loop.start(Math.floor((this.#loops.size / targetCount) * spreadMs))
  }

  /** Nearly all targets choose the same, and share them. */
  #rulesOf(choices: HistogramChoices): TargetRowsRules {
    if (this.#lastRules?.choices !== choices) this.#lastRules = { choices, rules: { ...this.#rules, ...choices } }
    return this.#lastRules.rules
  }

  #applyTargetLimit(targetCount: number): void {
    const limit = this.#config.targetLimit ?? 0
    const exceeded = limit > 0 && targetCount > limit
    if (exceeded) this.#parts.metrics.exceededTargetLimit.inc()
    this.#limitError = exceeded
      ? `target_limit exceeded (number of targets: ${targetCount}, limit: ${limit})`
      : undefined
    for (const loop of this.#loops.values()) loop.forcedError = this.#limitError
  }
}

function rowRules(config: ScrapeConfig): Omit<TargetRowsRules, 'createdZeros' | keyof HistogramChoices> {
  const metricRules = config.metricRelabelConfigs ?? []
  return {
    honorLabels: config.honorLabels ?? false,
    legacyNames: config.metricNameValidationScheme === 'legacy',
    labelLimit: config.labelLimit ?? 0,
    labelNameLengthLimit: config.labelNameLengthLimit ?? 0,
    labelValueLengthLimit: config.labelValueLengthLimit ?? 0,
    relabel: metricRules.length > 0 ? compileRelabel(metricRules) : undefined,
    sampleLimit: config.sampleLimit ?? 0,
    honorTimestamps: config.honorTimestamps ?? true,
    trackTimestampsStaleness: config.trackTimestampsStaleness ?? false,
    extraScrapeMetrics: config.extraScrapeMetrics ?? false,
    histogramBucketLimit: config.nativeHistogramBucketLimit ?? 0,
    histogramSchemaMax: schemaOfFactor(config.nativeHistogramMinBucketFactor ?? 0),
  }
}
