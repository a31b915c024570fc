/** What is kept of samples, and for how long: `belltower: storage:` of the configuration. */
import { z } from 'zod'
import { AppError, errorMessage } from '../../lib/index.ts'
import { formatDuration } from '../../model/index.ts'
import { parseSelector } from '../../promql/index.ts'
import type { TsdbSettings } from '../../tsdb/index.ts'
import { duration, list } from './scalars.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const positive = duration.refine((ms) => ms > 0, { error: 'must be more than 0' })

/** `{job="debug"}`. It stays a text: what a file holds may come from another thread, where no matcher can. */
const selector = z.string({ error: 'expected a selector such as {job="debug"}' }).superRefine((text, context) => {
  try {
    parseSelector(text)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    context.addIssue({ code: 'custom', message: errorMessage(error) })
  }
})

const resolution = duration.refine((ms) => ms >= MINUTE_MS && DAY_MS % ms === 0, {
  error: 'expected a duration of at least 1m that a day is a multiple of, such as 5m or 1h',
})

export const storageSchema = z
  .strictObject({
    /** Series that are kept for a shorter time than the others. */
    retention: list(z.strictObject({ match: selector, keep: positive })),
    /** Summaries that are kept longer than the samples. */
    downsampling: list(z.strictObject({ resolution, keep: positive })),
  })
  .superRefine(({ downsampling }, context) => {
    const seen = new Set<number>()
    for (const [i, tier] of downsampling.entries()) {
      if (seen.has(tier.resolution)) {
        const message = `there is another entry for ${formatDuration(tier.resolution)}`
        context.addIssue({ code: 'custom', path: ['downsampling', i, 'resolution'], message })
      }
      seen.add(tier.resolution)
    }
  })
export type StorageSection = z.output<typeof storageSchema>

export type RetentionSettings = Required<Pick<TsdbSettings, 'retentionRules' | 'tiers'>>

export function retentionSettingsOf(section: StorageSection | undefined): RetentionSettings {
  const { retention = [], downsampling = [] } = section ?? {}
  return {
    retentionRules: retention.map(({ match, keep }) => ({ matchers: parseSelector(match), retentionMs: keep })),
    tiers: downsampling
      .map(({ resolution: resolutionMs, keep }) => ({ resolutionMs, retentionMs: keep }))
      .sort((a, b) => a.resolutionMs - b.resolutionMs),
  }
}

/** Rules and tiers that have no effect, as what all samples are kept for says more, or less. */
export function retentionFaults(
  section: StorageSection | undefined,
  retentionMs: number | undefined,
  fault: (path: readonly (string | number)[], why: string) => string,
): string[] {
  if (section === undefined || retentionMs === undefined) return []
  const general = formatDuration(retentionMs)
  const rules = section.retention.flatMap(({ keep }, i) =>
    keep > retentionMs
      ? [
          fault(
            ['belltower', 'storage', 'retention', i, 'keep'],
            `samples are kept for ${general} only, see storage.tsdb.retention.time`,
          ),
        ]
      : [],
  )
  const tiers = section.downsampling.flatMap(({ keep }, i) =>
    keep <= retentionMs
      ? [
          fault(
            ['belltower', 'storage', 'downsampling', i, 'keep'],
            `the samples themselves are kept for ${general}, see storage.tsdb.retention.time`,
          ),
        ]
      : [],
  )
  return [...rules, ...tiers]
}
