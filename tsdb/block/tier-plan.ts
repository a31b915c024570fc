import type { BlockMeta } from './meta.ts'

/** Summaries that are kept beside the samples, and longer. */
export interface TierSetting {
  /** Length of a stretch. */
  readonly resolutionMs: number
  /** Blocks are deleted once their newest sample is this much older than the newest sample in blocks. */
  readonly retentionMs: number
}

/** A block of summaries that is to be written. */
export interface TierPlan {
  /** Of samples; oldest first. */
  readonly parents: readonly BlockMeta[]
  /** Of summaries: what the new block takes the place of. */
  readonly replaced: readonly BlockMeta[]
}

/** Whether a block of samples is worth summarising: late samples come no more, and it is as long as it will soon be. */
export type IsSettled = (meta: BlockMeta) => boolean

/**
 * Which samples are to be summarised next for a tier, oldest first; `undefined` when all are that can be. Samples that came
 * for a time that is summarised already have that done again, together with the other samples of it; where those are gone,
 * theirs become further summaries of that time.
 */
export function planTier(metas: readonly BlockMeta[], tier: TierSetting, isSettled: IsSettled): TierPlan | undefined {
  const newestMs = Math.max(...metas.map(({ maxTime }) => maxTime))
  const raw = metas.filter(({ resolution }) => resolution === undefined)
  const summarised = metas.filter(({ resolution }) => resolution === tier.resolutionMs)
  const known = new Set(summarised.flatMap(({ compaction }) => compaction.sources))
  for (const meta of raw) {
    if (newestMs - meta.maxTime >= tier.retentionMs || !isSettled(meta)) continue
    if (meta.compaction.sources.every((source) => known.has(source))) continue
    const plan = widen(meta, raw, summarised)
    if (plan !== undefined) return plan
    // Not where that would count some of them twice.
    if (!meta.compaction.sources.some((source) => known.has(source))) return { parents: [meta], replaced: [] }
  }
  return undefined
}

/** Takes in summaries of the same time, and the samples that they were made from; all of those must be there. */
function widen(meta: BlockMeta, raw: readonly BlockMeta[], summarised: readonly BlockMeta[]): TierPlan | undefined {
  let { minTime, maxTime } = meta
  const overlaps = (other: BlockMeta): boolean => other.minTime < maxTime && other.maxTime > minTime
  let plan: TierPlan = { parents: [meta], replaced: [] }
  for (;;) {
    const replaced = summarised.filter(overlaps)
    const parents = replaced.length === 0 ? [meta] : raw.filter(overlaps)
    const all = [...replaced, ...parents]
    minTime = Math.min(minTime, ...all.map((other) => other.minTime))
    maxTime = Math.max(maxTime, ...all.map((other) => other.maxTime))
    const isSame = replaced.length === plan.replaced.length && parents.length === plan.parents.length
    plan = { parents, replaced }
    if (isSame) break
  }
  const there = new Set(plan.parents.flatMap(({ compaction }) => compaction.sources))
  const needed = plan.replaced.flatMap(({ compaction }) => compaction.sources)
  return needed.every((source) => there.has(source)) ? plan : undefined
}
