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
