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
  readonly compaction: { readonly level: number; readonly sources: readonly string[] }
  readonly version: number
}
