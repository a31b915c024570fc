import type { Clock, Logger } from '../lib/index.ts'
import type { BlockList } from './block/block-list.ts'
import type { DeletionList } from './block/deletion-list.ts'
import { type Deletion, pendingIn } from './block/deletions.ts'
import type { Head } from './head/head.ts'
import type { SampleStream } from './head/sample-stream.ts'
import { type Compactor, retentionOf } from './maintenance/compactor.ts'
import type { Maintenance } from './maintenance/maintenance.ts'
import { Root } from './memory/layout.ts'
import type { TsdbSettings } from './options.ts'
import type { WalLog } from './wal/wal-log.ts'

const TICK_INTERVAL_MS = 15_000
// Closed rows wait for company, so that one message, one fsync and one look at warm code serve many groups; less long
// once there is enough of it.
const SEAL_DELAY_MS = 5000
const FULL_SEAL_DELAY_MS = 200
const FULL_SEAL_BYTES = 1 << 20
// What an earlier run left is sealed when those who wait for the store have had their first answers.
const FIRST_SEAL_DELAY_MS = 1000

interface UpkeepParts {
  readonly head: Head
  readonly log: WalLog
  readonly blockList: BlockList
  readonly deletions: DeletionList
  readonly maintenance: Maintenance
  readonly compactor: Compactor
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: () => TsdbSettings
  /** Of what is sealed and not in blocks yet. */
  readonly headFilesBytes: () => number
  readonly streams: () => Iterable<SampleStream>
  /** Whether blocks may be merged now. */
  readonly mayMerge: () => boolean
}

/** What an open store does by itself from time to time: seal, build blocks, forget what is over. */
export class Upkeep {
  readonly #parts: UpkeepParts
  #cancelTick: (() => void) | undefined
  #cancelSeal: (() => void) | undefined
  #sealDelayMs = 0
  #closedBytes = 0
  #running: Promise<void> | undefined
  #damageSeen = 0
  #isClosed = false

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  start(): void {
    this.#scheduleTick()
    for (const group of this.#parts.head.groups.values()) {
      if (group.pending.length > 0) return this.#sealIn(FIRST_SEAL_DELAY_MS)
    }
  }

  /** @param bytes of rows that have been closed */
  sealSoon(bytes: number): void {
    this.#closedBytes += bytes
    this.#sealIn(this.#closedBytes < FULL_SEAL_BYTES ? SEAL_DELAY_MS : FULL_SEAL_DELAY_MS)
  }

  /** A round of everything but merging; who calls during one waits for the end of that. */
  run(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Runs `work` when no round is under way, and none begins meanwhile. */
  async between<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined)
    const result = work()
    const end = (): void => {
      this.#running = undefined
    }
    this.#running = result.then(end, end)
    return result
  }

  /** Forgets deletions that all blocks have carried out and that mean nothing in the head. */
  async dropDoneDeletions(): Promise<void> {
    const { head, blockList, deletions } = this.#parts
    const { minMs } = head.timeRange()
    const metas = blockList.metas
    const isDone = (deletion: Deletion): boolean =>
      !(minMs <= deletion.maxTimeMs) && metas.every((meta) => pendingIn([deletion], meta).length === 0)
    const before = deletions.all
    await deletions.drop(isDone)
    if (deletions.all !== before) blockList.deletions = deletions.all
  }

  /** Resolves when the round under way is over. */
  async stop(): Promise<void> {
    this.#isClosed = true
    this.#cancelTick?.()
    this.#cancelSeal?.()
    await this.#running?.catch(() => undefined) // Its caller gets the failure.
  }

  async #round(): Promise<void> {
    if (this.#isClosed) return
    const { maintenance, blockList, compactor, log } = this.#parts
    await maintenance.run()
    this.#reclaim()
    await this.#checkDamage()
    const settings = this.#parts.settings()
    blockList.applyRetention({
      retentionMs: ({ resolution }) => retentionOf(settings, resolution),
      isNeeded: (meta) => compactor.isToBeSummarised(meta),
      retentionBytes: settings.retentionBytes ?? 0,
      otherBytes: settings.retentionBytes ? log.sizeBytes() + this.#parts.headFilesBytes() : 0,
    })
    await this.dropDoneDeletions()
  }

  /** Frees what belongs to series whose samples are all in blocks. */
  #reclaim(): void {
    const { head } = this.#parts
    const streams = [...this.#parts.streams()]
    for (const stream of streams) stream.reclaim(head.minValidMs)
    head.reclaimLabels(labelSetsOf(streams))
    head.memory.reclaim()
  }

  /** A reader has met damage: every block is read, the bad ones go aside. */
  async #checkDamage(): Promise<void> {
    const { head, blockList, maintenance, logger } = this.#parts
    const reports = head.memory.root(Root.DAMAGE_REPORTS)
    if (reports === this.#damageSeen) return
    this.#damageSeen = reports
    for (const { ulid } of blockList.metas) {
      try {
        const why = await maintenance.verifyBlock(ulid)
        if (why !== undefined) blockList.isolate(ulid, why)
      } catch (err) {
        logger.error({ err, blockId: ulid }, 'block could not be checked; it stays')
      }
    }
  }

  #scheduleTick(): void {
    if (this.#isClosed) return
    const { clock, logger, compactor, mayMerge, head } = this.#parts
    // Short blocks need it more often.
    const delayMs = Math.min(TICK_INTERVAL_MS, head.windowMs / 8)
    const merge = (): void => {
      if (mayMerge()) void compactor.run()
    }
    this.#cancelTick = clock.schedule(delayMs, () => {
      // Before the round, too: where there is always another block to build, merging must not wait for the end of that.
      merge()
      this.run()
        .then(merge)
        .catch((err: unknown) => logger.error({ err }, 'maintenance failed, it will be tried again'))
        .finally(() => this.#scheduleTick())
    })
  }

  #sealIn(delayMs: number): void {
    if (this.#isClosed || (this.#cancelSeal !== undefined && delayMs >= this.#sealDelayMs)) return
    this.#cancelSeal?.()
    this.#sealDelayMs = delayMs
    this.#cancelSeal = this.#parts.clock.schedule(delayMs, () => {
      this.#cancelSeal = undefined
      this.#closedBytes = 0
      void this.#parts.maintenance.seal()
    })
  }
}

function* labelSetsOf(streams: readonly SampleStream[]): Generator<number> {
  for (const stream of streams) yield* stream.labelSets()
}
