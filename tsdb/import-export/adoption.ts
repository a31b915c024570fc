import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { type Logger, RpcClient, startWorker } from '../../lib/index.ts'
import { readBlockMeta } from '../block/block-folder.ts'
import type { BlockMeta } from '../block/meta.ts'
import { AdoptionState } from './adoption-state.ts'
import type { AdoptionData, MadeUnit } from './adoption-worker.ts'
import { checkPrometheusIsGone, logSegmentsOf } from './prometheus-folder.ts'

/**
 * Brings the history of a Prometheus into an open store, part by part, newest first, in a thread of its own; its files stay as
 * they are. What was in before a restart is not brought in again.
 */
export class Adoption {
  readonly #state: AdoptionState
  readonly #sourceDir: string
  readonly #dataDir: string
  readonly #logger: Logger
  readonly #keptMs: number
  readonly #addBlock: (meta: BlockMeta) => void
  #worker: Worker | undefined
  #running: Promise<void> | undefined
  #isClosed = false

  /**
   * @throws {DataFolderLockedError} while the Prometheus is still running
   * @throws {CorruptionError}
   */
  constructor(options: {
    sourceDir: string
    dataDir: string
    nowMs: number
    /** What is older than that before now stays behind. */
    retentionMs: number
    logger: Logger
    addBlock: (meta: BlockMeta) => void
  }) {
    this.#state = new AdoptionState(options.dataDir, options.nowMs)
    this.#sourceDir = options.sourceDir
    this.#dataDir = options.dataDir
    this.#logger = options.logger
    this.#keptMs = options.nowMs - options.retentionMs
    this.#addBlock = options.addBlock
    if (!this.#state.isFinished) checkPrometheusIsGone(options.sourceDir)
  }

  /** The store itself takes samples from then on only, as long as something is to come. */
  get limitMs(): number {
    return this.#state.isFinished ? Number.NEGATIVE_INFINITY : this.#state.limitMs
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  start(): void {
    if (this.#state.isFinished) {
      if (this.#state.left.count > 0 && this.#mayLogBeThere()) this.#warnOfLeft({})
      return
    }
    this.#running = this.#run()
      .catch((err: unknown) => {
        if (this.#isClosed) return
        this.#logger.error(
          { err },
          'the history of Prometheus could not be imported; it is tried again at the next start',
        )
      })
      .finally(() => {
        this.#running = undefined
      })
  }

  /** Gives up the part that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#worker?.terminate()
    await this.#running
  }

  async #run(): Promise<void> {
    const startedAt = performance.now()
    await this.#state.begin()
    rmSync(this.#state.staging, { recursive: true, force: true })
    mkdirSync(this.#state.staging)
    const workerData: AdoptionData = {
      sourceDir: this.#sourceDir,
      staging: this.#state.staging,
      minTimeMs: this.#keptMs,
      limitMs: this.#state.limitMs,
    }
    this.#worker = startWorker(new URL('./adoption-worker.ts', import.meta.url), { workerData })
    const rpc = new RpcClient(this.#worker)
    try {
      const units = await rpc.call<string[]>('plan', undefined)
      const sourceDir = this.#sourceDir
      this.#logger.info(
        { sourceDir, parts: units.length },
        'importing the history of Prometheus; its files stay as they are',
      )
      const { samples, failures } = await this.#takeAll(rpc, units)
      if (failures > 0 || this.#isClosed) return
      await this.#state.finish()
      const facts = { samples, durationMs: Math.round(performance.now() - startedAt) }
      if (this.#warnOfLeft(facts)) return
      this.#logger.info(
        { sourceDir, ...facts },
        'the history of Prometheus is imported; its blocks and its log are not needed any more',
      )
    } finally {
      await this.#worker.terminate()
      rmSync(this.#state.staging, { recursive: true, force: true })
    }
  }

  /** A folder that can no longer be read is nothing to fail for: all that could be read is in. */
  #mayLogBeThere(): boolean {
    try {
      const { wal, wbl } = logSegmentsOf(this.#sourceDir)
      return wal.length + wbl.length > 0
    } catch {
      return true
    }
  }

  /** Says what is in the log of the Prometheus only, if anything is; nobody may delete it unawares. */
  #warnOfLeft(facts: object): boolean {
    const { count, reasons } = this.#state.left
    if (count === 0) return false
    this.#logger.warn(
      { sourceDir: this.#sourceDir, ...facts, leftOut: count, why: reasons },
      'the history of Prometheus is imported but for parts of its log; keep its folder',
    )
    return true
  }

  async #takeAll(rpc: RpcClient, units: readonly string[]): Promise<{ samples: number; failures: number }> {
    let samples = 0
    let failures = 0
    for (const [i, unit] of units.entries()) {
      if (this.#isClosed) break
      if (this.#state.isDone(unit)) continue
      const made = await rpc.call<MadeUnit>('make', unit)
      samples += made.samples
      if (made.failure !== undefined) {
        failures++
        this.#logger.error(
          { part: unit, why: made.failure },
          'a part of the history of Prometheus cannot be read; it stays where it is and is tried again at the next start',
        )
        continue
      }
      for (const warning of made.warnings)
        this.#logger.warn({ part: unit, why: warning }, 'a part of the log is left out')
      await this.#state.moveIn(unit, made.ulids, made.warnings)
      for (const ulid of made.ulids) this.#addBlock(readBlockMeta(join(this.#dataDir, ulid)))
      this.#logger.info(
        { part: unit, samples: made.samples, done: i + 1, of: units.length },
        'a part of the history of Prometheus is imported',
      )
    }
    return { samples, failures }
  }
}
