import {
  AppError,
  BodyTooLargeError,
  type Clock,
  errorMessage,
  InvariantError,
  type Logger,
  Turns,
} from '../../lib/index.ts'
import { formatDuration, OutOfOrderSampleError } from '../../model/index.ts'
import { slotOffsetMs, type Target } from '../targets/target.ts'
import type { ScrapeReport } from './report-series.ts'
import type { ScrapeMetrics } from './scrape-metrics.ts'
import { LabelLimitError } from './series-labels.ts'
import type { PageFormat } from './split-page.ts'
import { type PageCounts, SampleLimitError } from './target-rules.ts'
import type { TargetRows } from './target-rows.ts'
import type { Ticker, Waiter } from './ticker.ts'
import type { PageSource, Transport } from './transport.ts'

export interface ScrapeLoopParts {
  readonly clock: Clock
  readonly ticker: Ticker
  readonly logger: Logger
  readonly metrics: ScrapeMetrics
  readonly transport: Transport
  /** Spreads replicas: host name and external labels. */
  readonly seed: string
  readonly sampleLimit: number
  /** Hears why each failed scrape failed. */
  readonly onFailure: ((why: string) => void) | undefined
}

// A start this close to the planned time counts as on time: equal distances between timestamps pack best.
const TIMESTAMP_TOLERANCE_MS = 2
// A fresh target whose slot is further away gets a first scrape of its own, so that there is something to see.
const PATIENCE_MS = 1000
const NO_COUNTS: PageCounts = { samplesScraped: 0, samplesKept: 0, seriesAdded: 0 }

/** Scrapes one target, in its own slot of each interval. */
export class ScrapeLoop implements Waiter {
  readonly target: Target
  readonly rows: TargetRows
  readonly #parts: ScrapeLoopParts
  readonly #offsetMs: number
  readonly #toleranceMs: number
  readonly #source: PageSource
  readonly #intervalText: string
  #dueMs = 0
  #stopped = false
  #isScraping = false
  #timestampMs = 0
  /** On the `performance.now()` scale. */
  #startedAt = 0
  /** Samples with times of their own on their way into the store. */
  #storing: Promise<void> | undefined
  /** Set by the pool: every scrape fails with it. */
  forcedError: string | undefined
  health: 'unknown' | 'up' | 'down' = 'unknown'
  lastError = ''
  /** Unix milliseconds, 0 before the first scrape. */
  lastScrapeMs = 0
  lastDurationMs = 0

  constructor(target: Target, rows: TargetRows, parts: ScrapeLoopParts) {
    this.target = target
    this.rows = rows
    this.#parts = parts
    this.#offsetMs = slotOffsetMs(target, parts.seed)
    this.#toleranceMs = Math.min(target.intervalMs / 100, TIMESTAMP_TOLERANCE_MS)
    this.#intervalText = formatDuration(target.intervalMs)
    this.#source = parts.transport(target, {
      onPage: (body, format) => this.#finish(body, format, undefined),
      onFailure: (error) => this.#finish(undefined, 'text', error),
    })
  }

  /** @param firstDelayMs how long a first scrape outside the slot may wait */
  start(firstDelayMs: number): void {
    const nowMs = this.#parts.clock.nowMs()
    const slotMs = this.#nextSlotMs(nowMs)
    this.#wait(slotMs - nowMs > PATIENCE_MS + firstDelayMs ? nowMs + firstDelayMs : slotMs)
  }

  /** Goes on for another loop of the same target. A scrape that it owes, because it was stopped meanwhile, is made up for. */
  resume(lastScrapeMs: number): void {
    const nowMs = this.#parts.clock.nowMs()
    const slotMs = this.#nextSlotMs(nowMs)
    this.lastScrapeMs = lastScrapeMs
    const isOwed = lastScrapeMs > 0 && lastScrapeMs < slotMs - this.target.intervalMs
    this.#wait(isOwed ? nowMs : slotMs)
  }

  /** Takes back a scrape that is under way; resolves when what came in before is stored. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#parts.ticker.remove(this.#dueMs, this)
    this.#source.cancel()
    await this.#storing
  }

  onTick(): void {
    const dueMs = this.#dueMs
    const startMs = this.#parts.clock.nowMs()
    // Slots that have passed meanwhile are not made up for.
    this.#wait(this.#nextSlotMs(Math.max(startMs, dueMs)))
    if (this.#isScraping) return
    this.#isScraping = true
    this.#timestampMs = Math.abs(startMs - dueMs) <= this.#toleranceMs ? dueMs : startMs
    this.#startedAt = performance.now()
    if (this.lastScrapeMs > 0) {
      this.#parts.metrics.intervalLengths.count(this.#intervalText, this.#timestampMs - this.lastScrapeMs)
    }
    try {
      if (this.forcedError === undefined) this.#source.request()
      else this.#finish(undefined, 'text', this.forcedError)
    } catch (error) {
      // Others wait for the same tick.
      this.#finish(undefined, 'text', error)
    }
  }

  #nextSlotMs(afterMs: number): number {
    const { intervalMs } = this.target
    return (Math.floor((afterMs - this.#offsetMs) / intervalMs) + 1) * intervalMs + this.#offsetMs
  }

  #wait(dueMs: number): void {
    this.#dueMs = dueMs
    this.#parts.ticker.at(dueMs, this)
  }

  #finish(body: Uint8Array | undefined, format: PageFormat, failure: unknown): void {
    if (this.#stopped) return
    try {
      let error = failure
      let counts: PageCounts | undefined = NO_COUNTS
      if (body !== undefined) {
        try {
          counts = this.rows.read(body, format, true)
        } catch (thrown) {
          error = thrown
        }
      }
      if (body !== undefined && counts === undefined) return this.#learn(body.slice(), format)
      this.#settle(body, error, counts ?? NO_COUNTS)
    } catch (error) {
      this.#breakOff(error)
      this.#end()
    }
  }

  /** The page is new to us and long: others get their turns while it is looked through. */
  #learn(body: Uint8Array, format: PageFormat): void {
    this.#storing = this.rows
      .learn(body, format, () => this.#stopped)
      .then(
        () => this.#readLearnt(body, format),
        (error: unknown) => this.#stopped || this.#settle(body, error, NO_COUNTS),
      )
      .then(() => undefined)
  }

  async #readLearnt(body: Uint8Array, format: PageFormat): Promise<void> {
    if (this.#stopped) return
    let error: unknown
    let counts = NO_COUNTS
    try {
      counts = this.rows.read(body, format)
      // That was work enough for one turn, and so is what follows.
      this.rows.pause()
      await new Turns().next()
      if (this.#stopped) return
    } catch (thrown) {
      error = thrown
    }
    this.#settle(body, error, counts)
  }

  #settle(body: Uint8Array | undefined, error: unknown, counts: PageCounts): void {
    try {
      const storing = this.#store(body, error, error instanceof SampleLimitError ? error.counts : counts)
      this.lastScrapeMs = this.#timestampMs
      if (storing === undefined) this.#end()
      else this.#storing = storing.catch((error: unknown) => this.#breakOff(error)).then(() => this.#end())
    } catch (error) {
      this.#breakOff(error)
      this.#end()
    }
  }

  #end(): void {
    this.#storing = undefined
    this.#isScraping = false
    this.#countRefused()
  }

  #breakOff(error: unknown): void {
    this.#parts.logger.error({ err: error, target: this.target.url }, 'scrape broke off')
  }

  /**
   * Writes the row of what has just been read; nothing waited in between.
   *
   * @returns when samples with times of their own are stored too; `undefined` = there are none
   */
  #store(body: Uint8Array | undefined, error: unknown, counts: PageCounts): Promise<void> | undefined {
    const { rows } = this
    try {
      const up = body !== undefined && error === undefined
      this.lastDurationMs = performance.now() - this.#startedAt
      this.#noteHealth(up, error)
      const report: ScrapeReport = {
        up,
        durationMs: this.lastDurationMs,
        samplesScraped: counts.samplesScraped,
        samplesKept: counts.samplesKept,
        seriesAdded: counts.seriesAdded,
        timeoutMs: this.target.timeoutMs,
        sampleLimit: this.#parts.sampleLimit,
        bodyBytes: error instanceof BodyTooLargeError ? -1 : up ? body.length : 0,
      }
      return up ? rows.write(this.#timestampMs, report) : rows.writeFailed(this.#timestampMs, report)
    } catch (thrown) {
      // The clock went back: this row is lost, the next one is complete again.
      if (!(thrown instanceof OutOfOrderSampleError)) throw thrown
      this.#parts.metrics.outOfOrder.inc()
      this.#parts.logger.warn({ err: thrown, target: this.target.url }, 'scrape is not newer than the last one')
      return undefined
    }
  }

  #noteHealth(up: boolean, error: unknown): void {
    const { logger, metrics } = this.#parts
    this.health = up ? 'up' : 'down'
    this.lastError = up ? '' : errorMessage(error)
    if (up) return
    this.#parts.onFailure?.(this.lastError)
    if (error instanceof SampleLimitError) metrics.exceededSampleLimit.inc()
    if (error instanceof LabelLimitError) metrics.exceededLabelLimits.inc()
    if (error instanceof BodyTooLargeError) metrics.exceededBodySizeLimit.inc()
    // What is no expected failure is a fault of ours and must be seen.
    const expected = typeof error === 'string' || (error instanceof AppError && !(error instanceof InvariantError))
    logger[expected ? 'debug' : 'error']({ err: error, target: this.target.url }, 'scrape failed')
  }

  #countRefused(): void {
    const { metrics } = this.#parts
    const { refused } = this.rows
    if (refused.outOfOrder > 0) metrics.outOfOrder.inc(refused.outOfOrder)
    if (refused.duplicateTimestamp > 0) metrics.duplicateTimestamp.inc(refused.duplicateTimestamp)
    if (refused.outOfBounds > 0) metrics.outOfBounds.inc(refused.outOfBounds)
    refused.outOfOrder = 0
    refused.duplicateTimestamp = 0
    refused.outOfBounds = 0
  }
}
