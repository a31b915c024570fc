/** Decoded columns of some positions of one run of rows, column after column, `stride` entries apart. */
export interface ColumnBlock {
  values: Float64Array<ArrayBuffer>
  /** A `SampleKind` each. */
  kinds: Uint8Array<ArrayBuffer>
  stride: number
  /** Rows decoded. */
  rowCount: number
  /** Rows that hold a sample, by column. */
  readonly counts: Uint32Array
  /** 1 where a column holds a staleness marker. */
  readonly stale: Uint8Array
}

/** Room for `count` columns of `rowCount` rows, all of them to be filled. */
export const columnBlock = (count: number, rowCount: number): ColumnBlock => ({
  values: new Float64Array(count * rowCount),
  kinds: new Uint8Array(count * rowCount),
  stride: rowCount,
  rowCount,
  counts: new Uint32Array(count),
  stale: new Uint8Array(count),
})

const BLOCKS_MAX = 64
const INDEX_BITS = 24
const INDEX_MASK = 2 ** INDEX_BITS - 1

/** What is decoded of one run of rows, or of one chunk: blocks of columns, one for each set of positions that was missing. */
export class CachedRun<B extends ColumnBlock> {
  /** Stands for the run where what is decoded must not be held on to. */
  readonly token = {}
  /** Times of the rows decoded so far. */
  timestampsMs = new Float64Array(0)
  readonly blocks: B[] = []
  /** Block in the high bits and column in the low ones, plus 1; 0 where the position is not decoded. */
  #places = new Uint32Array(0)

  /** Place of a position's column, -1 if it is not decoded. */
  placeOf(position: number): number {
    return position < this.#places.length ? this.#places[position]! - 1 : -1
  }

  /** A block has no more columns than positions, which are fewer than 2^24. */
  add(block: B, positions: Uint32Array): void {
    const needed = positions[positions.length - 1]! + 1
    if (this.#places.length < needed) {
      const grown = new Uint32Array(needed)
      grown.set(this.#places)
      this.#places = grown
    }
    const first = this.blocks.length * 2 ** INDEX_BITS + 1
    this.blocks.push(block)
    for (let i = 0; i < positions.length; i++) this.#places[positions[i]!] = first + i
  }

  get bytes(): number {
    let sum = 256 + this.timestampsMs.byteLength + this.#places.byteLength
    for (const { values, kinds, counts } of this.blocks)
      sum += values.byteLength + kinds.byteLength + 24 * counts.length
    return sum
  }

  get isFull(): boolean {
    return this.blocks.length >= BLOCKS_MAX
  }
}

export const blockOfPlace = (place: number): number => place >>> INDEX_BITS
export const columnOfPlace = (place: number): number => place & INDEX_MASK

const BYTES_PER_SAMPLE = 9

interface Entry {
  readonly run: CachedRun<ColumnBlock>
  bytes: number
  /** Number of the use that brought it to the end of the order. */
  usedAt: number
}

/**
 * Decoded columns of head and blocks, for queries that look at the same series again: dashboards do so all the time. What was
 * looked at longest ago goes first.
 */
export class ColumnCache {
  readonly bytesMax: number
  bytes = 0
  /** Runs found with all columns wanted, and runs that had to be decoded. */
  hits = 0
  misses = 0
  readonly #runs = new Map<string, Entry>()
  #uses = 0
  /** Of the blocks that are looked at together, as far as they have a place here. */
  #blockSamples = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** What would push itself out is better off without. @param samples that a query looks at */
  isWorth(samples: number): boolean {
    return samples * BYTES_PER_SAMPLE * 2 <= this.bytesMax
  }

  /** A query begins to look at blocks. */
  startBlocks(): void {
    this.#blockSamples = 0
  }

  /** As `isWorth` for the next one of several blocks: all of them would push themselves out, and the head, though each is small. */
  isBlockWorth(samples: number): boolean {
    if (!this.isWorth(this.#blockSamples + samples)) return false
    this.#blockSamples += samples
    return true
  }

  /** @param key names the run for good: what it names may grow at the end, but never changes */
  run<B extends ColumnBlock>(key: string): CachedRun<B> {
    let entry = this.#runs.get(key)
    if (entry === undefined || entry.run.isFull) {
      if (entry !== undefined) this.bytes -= entry.bytes
      entry = { run: new CachedRun(), bytes: 0, usedAt: Number.NEGATIVE_INFINITY }
    }
    // Those that were used just now stay where they are: their order hardly matters.
    if (++this.#uses - entry.usedAt > this.#runs.size >>> 1) {
      entry.usedAt = this.#uses
      this.#runs.delete(key)
      this.#runs.set(key, entry)
    }
    return entry.run as CachedRun<ColumnBlock> as CachedRun<B>
  }

  /** To be called when a run was used: counts what it takes, and makes room. */
  settle(key: string, hasGrown: boolean): void {
    if (!hasGrown) {
      this.hits++
      return
    }
    this.misses++
    const entry = this.#runs.get(key)
    if (entry === undefined) return
    const { bytes } = entry.run
    this.bytes += bytes - entry.bytes
    entry.bytes = bytes
    for (const [oldest, { bytes: freed }] of this.#runs) {
      if (this.bytes <= this.bytesMax) return
      this.#runs.delete(oldest)
      this.bytes -= freed
    }
  }
}
