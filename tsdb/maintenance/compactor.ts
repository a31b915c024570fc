import { join } from 'node:path'
import type { Clock, Logger } from '../../lib/index.ts'
import { rewriteBlockMeta } from '../block/block-folder.ts'
import type { BlockList } from '../block/block-list.ts'
import type { DeletionList } from '../block/deletion-list.ts'
import { type Deletion, pendingIn, reachingOn } from '../block/deletions.ts'
import { planMerge } from '../block/merge-plan.ts'
import type { MergeRequest, TierRequest } from '../block/merge-request.ts'
import type { BlockMeta } from '../block/meta.ts'
import { planTier, type TierSetting } from '../block/tier-plan.ts'
import { matcherText } from '../../model/index.ts'
import type { RetentionRule, TsdbSettings } from '../options.ts'
import { ulidBeside } from '../ulid.ts'

const RANGE_MAX_MS = 31 * 24 * 3_600_000
const RANGE_MAX_SHARE = 0.1
// Blocks of this age that nothing was merged with will hardly find company.
const YOUNG_WINDOWS = 9
// After a failure.
const PAUSE_MS = 10 * 60_000

/** What the maintenance worker does for the compactor. */
export interface BlockWorker {
  mergeBlocks(request: MergeRequest): Promise<BlockMeta | undefined>
  buildTier(request: TierRequest): Promise<BlockMeta | undefined>
  hasDeleted(folder: string, deletions: readonly Deletion[]): Promise<boolean>
}

/** Keeps blocks few and free of what was deleted: merges them by level, summarises them, and rewrites them on demand. */
export class Compactor {
  merges = 0
  mergesFailed = 0
  readonly #dataDir: string
  readonly #blockList: BlockList
  readonly #deletions: DeletionList
  readonly #worker: BlockWorker
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #windowMs: number
  readonly #settings: () => TsdbSettings
  readonly #onFailure: () => void
  #last: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined
  #pausedUntilMs = 0
  #isClosed = false
  /** Blocks in which there is nothing to summarise. */
  readonly #withoutSamples = new Set<string>()

  constructor(options: {
    dataDir: string
    blockList: BlockList
    deletions: DeletionList
    worker: BlockWorker
    clock: Clock
    logger: Logger
    windowMs: number
    settings: () => TsdbSettings
    /** A block could not be read, most likely. */
    onFailure: () => void
  }) {
    this.#dataDir = options.dataDir
    this.#blockList = options.blockList
    this.#deletions = options.deletions
    this.#worker = options.worker
    this.#clock = options.clock
    this.#logger = options.logger
    this.#windowMs = options.windowMs
    this.#settings = options.settings
    this.#onFailure = options.onFailure
  }

  /** Merges whatever is due, and drops series whose own time is over. Never rejects: what failed is tried again after a while. */
  run(): Promise<void> {
    this.#running ??= this.#exclusively(() => this.#runDue()).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Rewrites every block that holds deleted samples; resolves when they are gone from blocks. */
  cleanTombstones(): Promise<void> {
    return this.#exclusively(async () => {
      // The list is replaced as a whole when it changes.
      for (const meta of this.#blockList.metas) {
        if (this.#isClosed) return
        const deletions = pendingIn(this.#deletions.all, meta)
        if (deletions.length > 0) await this.#clean(meta, deletions)
      }
    })
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
  }

  #exclusively(job: () => Promise<void>): Promise<void> {
    const result = this.#last.then(job, job)
    this.#last = result.catch(() => undefined) // Its caller gets the failure.
    return result
  }

  async #runDue(): Promise<void> {
    try {
      await this.#mergeDue(undefined)
      await this.#summariseDue()
      for (const resolutionMs of this.#resolutions()) await this.#mergeDue(resolutionMs)
      await this.#retireDue()
    } catch (err) {
      if (this.#isClosed) return
      this.#pausedUntilMs = this.#clock.nowMs() + PAUSE_MS
      this.#logger.error({ err }, 'blocks could not be merged, it will be tried again')
      this.#onFailure()
    }
  }

  /** Whether summaries are still to be made of a block. */
  isToBeSummarised(meta: BlockMeta): boolean {
    const metas = this.#blockList.metas
    return (
      meta.resolution === undefined &&
      !this.#withoutSamples.has(meta.ulid) &&
      this.#tiers().some((tier) => planTier(metas, tier, (other) => other === meta)?.parents.includes(meta) === true)
    )
  }

  #tiers(): readonly TierSetting[] {
    return this.#settings().tiers ?? []
  }

  /** Of all blocks of summaries that there are. */
  #resolutions(): Set<number> {
    return new Set(this.#blockList.metas.flatMap(({ resolution }) => resolution ?? []))
  }

  /** @param resolutionMs of the blocks that are looked at; absent = those of samples */
  async #mergeDue(resolutionMs: number | undefined): Promise<void> {
    const retentionMs = retentionOf(this.#settings(), resolutionMs)
    const options = { windowMs: this.#windowMs, rangeMaxMs: Math.min(RANGE_MAX_MS, retentionMs * RANGE_MAX_SHARE) }
    while (!this.#isClosed && this.#clock.nowMs() >= this.#pausedUntilMs) {
      const metas = this.#blockList.metas.filter(({ resolution }) => resolution === resolutionMs)
      const parents = planMerge(metas, options)
      if (parents === undefined) return
      await this.#replace(parents, [], retiredInAll(parents))
    }
  }

  /** Writes the summaries that are missing. */
  async #summariseDue(): Promise<void> {
    const newestMs = this.#blockList.maxTimeMs
    const settledMs = Math.max(this.#settings().outOfOrderTimeWindowMs ?? 0, this.#windowMs / 2)
    const isSettled = ({ ulid, maxTime, compaction }: BlockMeta): boolean => {
      const ageMs = newestMs - maxTime
      if (ageMs < settledMs || this.#withoutSamples.has(ulid)) return false
      return compaction.level > 1 || ageMs >= YOUNG_WINDOWS * this.#windowMs
    }
    for (const { resolutionMs, retentionMs } of this.#tiers()) {
      while (!this.#isClosed && this.#clock.nowMs() >= this.#pausedUntilMs) {
        const plan = planTier(this.#blockList.metas, { resolutionMs, retentionMs }, isSettled)
        if (plan === undefined) break
        const { parents, replaced } = plan
        const request: TierRequest = { ...this.#requestFor(parents, [], retiredInAll(parents)), resolutionMs, replaced }
        const meta = await this.#rewrite('blocks summarised', parents, () => this.#worker.buildTier(request))
        if (meta === undefined) for (const { ulid } of parents) this.#withoutSamples.add(ulid)
        this.#blockList.replaceBlocks(replaced, meta)
        this.#blockList.deleteDoomed()
      }
    }
  }

  /** Takes series that are kept for a shorter time out of blocks that are older than that. */
  async #retireDue(): Promise<void> {
    const newestMs = this.#blockList.maxTimeMs
    for (const meta of this.#blockList.metas) {
      if (this.#isClosed || this.#clock.nowMs() < this.#pausedUntilMs) return
      const known = meta.retired ?? []
      const due = (this.#settings().retentionRules ?? []).filter(
        (rule) => newestMs - meta.maxTime >= rule.retentionMs && !known.includes(ruleKey(rule)),
      )
      if (due.length === 0) continue
      const retired = [...known, ...due.map(ruleKey)]
      const deletions = due.map(({ matchers }) => ({
        number: 0,
        matchers: matchers.map(({ type, name, value }) => ({ type, name, value })),
        minTimeMs: Number.NEGATIVE_INFINITY,
        maxTimeMs: Number.POSITIVE_INFINITY,
      }))
      if (await this.#worker.hasDeleted(join(this.#dataDir, meta.ulid), deletions)) {
        await this.#replace([meta], deletions, retired)
      } else await this.#describe({ ...meta, retired })
    }
  }

  /** A block without deleted samples only learns that it has none. */
  async #clean(meta: BlockMeta, deletions: readonly Deletion[]): Promise<void> {
    const { newest } = this.#deletions
    if (await this.#worker.hasDeleted(join(this.#dataDir, meta.ulid), deletions)) {
      return this.#replace([meta], [], meta.retired ?? [])
    }
    return this.#describe({ ...meta, deletions: newest })
  }

  async #describe(meta: BlockMeta): Promise<void> {
    await rewriteBlockMeta(join(this.#dataDir, meta.ulid), meta)
    this.#blockList.update(meta)
  }

  async #replace(
    parents: readonly BlockMeta[],
    further: readonly Deletion[],
    retired: readonly string[],
  ): Promise<void> {
    const request = this.#requestFor(parents, further, retired)
    const merged = await this.#rewrite('blocks merged', parents, () => this.#worker.mergeBlocks(request))
    this.#blockList.replaceBlocks(parents, merged)
    this.#blockList.deleteDoomed()
  }

  #requestFor(parents: readonly BlockMeta[], further: readonly Deletion[], retired: readonly string[]): MergeRequest {
    return {
      dataDir: this.#dataDir,
      // Blocks of one beginning are read in the order of their ids: one of late samples made since stays behind this one.
      ulid: ulidBeside(parents.reduce((newest, { ulid }) => (ulid > newest ? ulid : newest), '')),
      parents,
      deletions: [...reachingOn(this.#deletions.all, parents[0]!.resolution), ...further],
      retired,
      deletionNumber: this.#deletions.newest,
    }
  }

  async #rewrite(
    what: string,
    parents: readonly BlockMeta[],
    write: () => Promise<BlockMeta | undefined>,
  ): Promise<BlockMeta | undefined> {
    const startedAt = performance.now()
    let written: BlockMeta | undefined
    try {
      written = await write()
    } catch (error) {
      this.mergesFailed++
      throw error
    }
    this.merges++
    const durationMs = Math.round(performance.now() - startedAt)
    this.#logger.info({ blocks: ulids(parents), blockId: written?.ulid, ...written?.stats, durationMs }, what)
    return written
  }
}

/** How long blocks are kept. A tier that is not configured any more is kept as long as samples are. */
export const retentionOf = ({ retentionMs, tiers = [] }: TsdbSettings, resolutionMs: number | undefined): number =>
  tiers.find((tier) => tier.resolutionMs === resolutionMs)?.retentionMs ?? retentionMs

const ulids = (metas: readonly BlockMeta[]): string[] => metas.map(({ ulid }) => ulid)

/** Retention rules that have been carried out in each of the blocks. */
const retiredInAll = (metas: readonly BlockMeta[]): string[] =>
  (metas[0]?.retired ?? []).filter((key) => metas.every(({ retired }) => retired?.includes(key)))

const ruleKey = ({ matchers, retentionMs }: RetentionRule): string =>
  `{${matchers.map(matcherText).join(',')}} ${retentionMs}`
