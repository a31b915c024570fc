/** What `meta.json` of a block holds; names as the field's tools know them. Times in Unix milliseconds. */
export interface BlockMeta {
  readonly ulid: string
  /** Inclusive. */
  readonly minTime: number
  /** Exclusive. */
  readonly maxTime: number
  readonly stats: {
    readonly numSamples: number
    readonly numSeries: number
    readonly numChunks: number
    readonly numBytes: number
  }
  readonly compaction: {
    readonly level: number
    /** Blocks of level 1 that it was made of. */
    readonly sources: readonly string[]
    /** Blocks that this one replaces: where they are still there, they go. */
    readonly parents?: readonly BlockParent[]
  }
  /** Number of the newest deletion that has been carried out in it; absent = none. */
  readonly deletions?: number
  /** Retention rules of which no series is in it any more. */
  readonly retired?: readonly string[]
  /** Head-chunk files whose samples it holds: where they are still there, they go. */
  readonly headFiles?: readonly number[]
  /** Length of the stretches whose summaries it holds instead of their samples, in milliseconds; absent = samples. */
  readonly resolution?: number
  /** Length of the stretches that its `sum` section summarises, in milliseconds; absent = it has none. */
  readonly summary?: number
  readonly version: number
}

export interface BlockParent {
  readonly ulid: string
  readonly minTime: number
  readonly maxTime: number
}
