import { AppError, BodyTooLargeError, type Clock, errorMessage, InvariantError, type Logger } from '../../lib/index.ts'
import { formatDuration, OutOfOrderSampleError } from '../../model/index.ts'
import { slotOffsetMs, type Target } from '../targets/target.ts'
import type { ScrapeReport } from './report-series.ts'
import type { ScrapeMetrics } from './scrape-metrics.ts'
import { SampleLimitError, type TargetRows } from './target-rows.ts'
import { TICK_MS, type Ticker } from './ticker.ts'
import type { ScrapedPage, Transport } from './transport.ts'

export interface ScrapeLoopParts {
  readonly clock: Clock
  readonly ticker: Ticker
  readonly logger: Logger
  readonly metrics: ScrapeMetrics
  readonly transport: Transport
  /** Spreads replicas: host name and external labels. */
  readonly seed: string
  readonly sampleLimit: number
}

// A start this close to the planned time counts as on time: equal distances between timestamps pack best.
const TIMESTAMP_TOLERANCE_MS = 2
// A fresh target whose slot is further away gets a first scrape of its own, so that there is something to see.
const PATIENCE_MS = 1000

/** Scrapes one target, in its own slot of each interval. */
export class ScrapeLoop {
  readonly target: Target
  readonly rows: TargetRows
  readonly #parts: ScrapeLoopParts
  readonly #offsetMs: number
  readonly #toleranceMs: number
  #cancel: (() => void) | undefined
  #stopped = false
  #running: Promise<void> | undefined
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
    this.#offsetMs = slotOffsetMs(target, parts.seed, TICK_MS)
    this.#toleranceMs = Math.min(target.intervalMs / 100, TIMESTAMP_TOLERANCE_MS)
  }

  /** @param firstDelayMs how long a first scrape outside the slot may wait; `undefined` = none is wanted */
  start(firstDelayMs: number | undefined): void {
    const nowMs = this.#parts.clock.nowMs()
    const slotMs = this.#nextSlotMs(nowMs)
    if (firstDelayMs !== undefined && slotMs - nowMs > PATIENCE_MS + firstDelayMs) this.#wait(nowMs + firstDelayMs)
    else this.#wait(slotMs)
  }

  /** Resolves when a scrape that is under way has come back; it writes nothing any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }

  #nextSlotMs(afterMs: number): number {
    const { intervalMs } = this.target
    return (Math.floor((afterMs - this.#offsetMs) / intervalMs) + 1) * intervalMs + this.#offsetMs
  }

  #wait(dueMs: number): void {
    this.#cancel = this.#parts.ticker.at(dueMs, () => this.#due(dueMs))
  }

  #due(dueMs: number): void {
    if (this.#stopped) return
    const startMs = this.#parts.clock.nowMs()
    // Slots that have passed meanwhile are not made up for.
    this.#wait(this.#nextSlotMs(Math.max(startMs, dueMs)))
    if (this.#running) return
    const onTime = Math.abs(startMs - dueMs) <= this.#toleranceMs
    this.#running = this.#scrape(onTime ? dueMs : startMs)
      .catch((error: unknown) => {
        this.#parts.logger.error({ err: error, target: this.target.url }, 'scrape broke off')
      })
      .finally(() => {
        this.#running = undefined
      })
  }

  async #scrape(timestampMs: number): Promise<void> {
    const { metrics, transport } = this.#parts
    const start = performance.now()
    if (this.lastScrapeMs > 0) {
      const interval = formatDuration(this.target.intervalMs)
      metrics.intervalLength.observe({ interval }, (timestampMs - this.lastScrapeMs) / 1000)
    }
    let page: ScrapedPage | undefined
    let failure: unknown = this.forcedError
    try {
      if (failure === undefined) page = await transport(this.target)
    } catch (error) {
      failure = error
    }
    if (this.#stopped) return
    const stored = this.#store(timestampMs, start, page, failure)
    this.lastScrapeMs = timestampMs
    await stored
    this.#countRefused()
  }

  /** From here on nothing waits: the page is read and its row written in one go. */
  #store(timestampMs: number, start: number, page: ScrapedPage | undefined, failure: unknown): Promise<void> {
    const { rows } = this
    try {
      let error = failure
      let counts = { samplesScraped: 0, samplesKept: 0, seriesAdded: 0 }
      if (page !== undefined) {
        try {
          counts = rows.read(page.body, page.format)
        } catch (thrown) {
          error = thrown
          if (thrown instanceof SampleLimitError) counts = thrown.counts
        }
      }
      const up = page !== undefined && error === undefined
      this.lastDurationMs = performance.now() - start
      this.#noteHealth(up, error)
      const report: ScrapeReport = {
        up,
        durationMs: this.lastDurationMs,
        ...counts,
        timeoutMs: this.target.timeoutMs,
        sampleLimit: this.#parts.sampleLimit,
        bodyBytes: error instanceof BodyTooLargeError ? -1 : up ? page.body.length : 0,
      }
      return up ? rows.write(timestampMs, report) : rows.writeFailed(timestampMs, report)
    } catch (error) {
      // The clock went back: this row is lost, the next one is complete again.
      if (!(error instanceof OutOfOrderSampleError)) throw error
      this.#parts.metrics.outOfOrder.inc()
      this.#parts.logger.warn({ err: error, target: this.target.url }, 'scrape is not newer than the last one')
      return Promise.resolve()
    }
  }

  #noteHealth(up: boolean, error: unknown): void {
    const { logger, metrics } = this.#parts
    this.health = up ? 'up' : 'down'
    this.lastError = up ? '' : errorMessage(error)
    if (up) return
    if (error instanceof SampleLimitError) metrics.exceededSampleLimit.inc()
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
