import type { Scratch } from '../memory/scratch.ts'
import { blockOfPlace, type CachedRun, type ColumnBlock, columnOfPlace } from './column-cache.ts'
import { ALL_PLAIN, type DecodedColumns, lowerBound, type Piece } from './piece.ts'

interface CachedPieceOptions {
  readonly rowCount: number
  /** Most columns of one block. */
  readonly columnsMax: number
  /** Whether others will use the run, too. */
  readonly isKept: boolean
}

/** A piece whose columns are decoded into blocks that outlive the query. */
export abstract class CachedPiece<B extends ColumnBlock> implements Piece, DecodedColumns {
  timestampsMs = new Float64Array(0)
  from = 0
  to = 0
  /** Whether anything had to be decoded. */
  hasDecoded = false
  protected readonly scratch: Scratch
  readonly #positions: Uint32Array
  readonly #run: CachedRun<B>
  readonly #rowCount: number
  readonly #columnsMax: number
  readonly #isKept: boolean
  // Without a run to keep: the block at hand, and the first index that it holds.
  #single: B | undefined
  #singleFrom = 0

  constructor(scratch: Scratch, positions: Uint32Array, run: CachedRun<B>, options: CachedPieceOptions) {
    this.scratch = scratch
    this.#positions = positions
    this.#run = run
    this.#rowCount = options.rowCount
    this.#columnsMax = options.columnsMax
    this.#isKept = options.isKept && positions.length <= options.columnsMax
  }

  /** Decodes all rows of some positions. */
  protected abstract decode(positions: Uint32Array): B

  /** Decodes the rows that were added since. */
  protected abstract extend(block: B): void

  /** Makes the columns ready; to be called once the subclass is. */
  protected prepare(minTimeMs: number, maxTimeMs: number): void {
    if (this.#isKept) this.#fillRun()
    else this.#takeSingle(0)
    const times = this.#run.timestampsMs
    this.timestampsMs = times.length === this.#rowCount ? times : times.subarray(0, this.#rowCount)
    this.from = lowerBound(this.timestampsMs, minTimeMs)
    // Times are whole milliseconds.
    this.to = lowerBound(this.timestampsMs, Math.floor(maxTimeMs) + 1)
  }

  read(index: number, values: number, kinds: number): number {
    const { block, column } = this.#columnOf(index)
    const count = block.counts[column]!
    if (count === 0) return 0
    const { f64, u8 } = this.scratch.views
    const at = column * block.stride
    f64.set(block.values.subarray(at + this.from, at + this.to), values >>> 3)
    if (count === block.rowCount && block.stale[column] === 0) return ALL_PLAIN
    u8.set(block.kinds.subarray(at + this.from, at + this.to), kinds)
    return count
  }

  get decoded(): DecodedColumns | undefined {
    return this.#isKept ? this : undefined
  }

  get run(): object {
    return this.#run.token
  }

  get positions(): object {
    return this.#positions
  }

  plain(index: number): Float64Array | undefined {
    const { block, column } = this.#columnOf(index)
    if (block.counts[column] !== block.rowCount || block.stale[column] !== 0) return undefined
    const at = column * block.stride
    return block.values.subarray(at, at + this.#rowCount)
  }

  /** Number of rows that hold a sample. */
  countOf(index: number): number {
    const { block, column } = this.#columnOf(index)
    return block.counts[column]!
  }

  /** Takes the times of rows from `first` on, as far as they are not known. */
  protected addTimes(first: number, timestampsMs: Float64Array): void {
    const run = this.#run
    const known = run.timestampsMs.length
    if (first + timestampsMs.length <= known) return
    const times = new Float64Array(first + timestampsMs.length)
    times.set(run.timestampsMs)
    times.set(timestampsMs.subarray(known - first), known)
    run.timestampsMs = times
  }

  #columnOf(index: number): { block: B; column: number } {
    if (!this.#isKept) {
      if (index < this.#singleFrom || index >= this.#singleFrom + this.#single!.counts.length) this.#takeSingle(index)
      return { block: this.#single!, column: index - this.#singleFrom }
    }
    const place = this.#run.placeOf(this.#positions[index]!)
    return { block: this.#run.blocks[blockOfPlace(place)]!, column: columnOfPlace(place) }
  }

  #takeSingle(index: number): void {
    this.#singleFrom = index
    this.#single = this.decode(this.#positions.subarray(index, index + this.#columnsMax))
    this.hasDecoded = true
  }

  /** Decodes what is missing, and brings what is there up to the newest row. */
  #fillRun(): void {
    const run = this.#run
    const positions = this.#positions
    let missing = 0
    let lastBlock = -1
    for (let i = 0; i < positions.length; i++) {
      const place = run.placeOf(positions[i]!)
      if (place < 0) {
        missing++
        continue
      }
      const number = blockOfPlace(place)
      if (number === lastBlock) continue
      lastBlock = number
      const block = run.blocks[number]!
      if (block.rowCount >= this.#rowCount) continue
      this.extend(block)
      this.hasDecoded = true
    }
    if (missing === 0) return
    const wanted = missing === positions.length ? positions : positions.filter((p) => run.placeOf(p) < 0)
    run.add(this.decode(wanted), wanted)
    this.hasDecoded = true
  }
}
