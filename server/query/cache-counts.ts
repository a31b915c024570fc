/** Where in the words that a query worker shares with the main thread its counts stand. */
export const CacheCount = { HITS: 0, MISSES: 1, BYTES: 2 } as const

/** Zeros, in memory that threads share. */
export const newCacheCounts = (): Float64Array =>
  new Float64Array(new SharedArrayBuffer(8 * Object.keys(CacheCount).length))
