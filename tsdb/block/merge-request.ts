import type { Deletion } from './deletions.ts'
import type { BlockMeta } from './meta.ts'

/** Blocks to be written anew as one, without what was deleted. */
export interface MergeRequest {
  readonly dataDir: string
  /** Of the new block. */
  readonly ulid: string
  /** Oldest first; of samples of one series and time that of the last one stays. */
  readonly parents: readonly BlockMeta[]
  readonly deletions: readonly Deletion[]
  /** Goes into the new block's description. */
  readonly retired: readonly string[]
  /** Number of the newest deletion. */
  readonly deletionNumber: number
}

/** Blocks of samples to be summarised in stretches of one length, as a block of its own. */
export interface TierRequest extends MergeRequest {
  readonly resolutionMs: number
  /** Blocks of that resolution that the new one takes the place of. */
  readonly replaced: readonly BlockMeta[]
}
