import { compareLabels, type Labels } from '../../model/index.ts'
import type { MatrixSeries } from './result.ts'
import type { StepGrid } from './step-grid.ts'
import { countPresent } from './step-series.ts'

/** Plain numbers on a cache of answers to range queries. */
export interface RangeCacheStats {
  /** Queries that took steps from the cache, and queries that might have but found none. */
  readonly hits: number
  readonly misses: number
  readonly bytes: number
}

interface HeldSeries {
  readonly labels: Labels
  /** Room for `HeldAnswer.capacity` steps; defined where present. */
  readonly values: Float64Array
  readonly present: Uint8Array
}

/** What an answer was made from, besides the samples. */
interface AnswerOrigin {
  /** Of the store, see `StoreChanges`. */
  readonly version: number
  /** What each look into the store said about the order of its series. */
  readonly orders: readonly Float64Array[]
  /** See `ReuseNotes.names`. */
  readonly names: readonly Map<string, string>[]
}

const SPARE_STEPS_MIN = 32
const SERIES_OVERHEAD_BYTES = 200
/** About what the labels of one series take as a key. */
const NAME_BYTES = 300

/** Steps of the answer to one expression, one after the other, and what they were made from. */
export class HeldAnswer {
  /** Of the first step held. */
  startMs: number
  count: number
  origin: AnswerOrigin
  readonly #stepMs: number
  #capacity: number
  #series: readonly HeldSeries[]

  constructor(grid: StepGrid, origin: AnswerOrigin, result: readonly MatrixSeries[]) {
    this.startMs = grid.startMs
    this.count = grid.count
    this.origin = origin
    this.#stepMs = grid.stepMs
    this.#capacity = withSpare(grid.count)
    this.#series = result.map((series) => {
      const held = this.#make(series.labels)
      this.#fill(held, series)
      return held
    })
  }

  get bytes(): number {
    const named = this.origin.names.reduce((sum, { size }) => sum + size, 0)
    return this.#series.length * (9 * this.#capacity + SERIES_OVERHEAD_BYTES) + named * NAME_BYTES
  }

  /**
   * How many of the grid's first steps are here and good: those up to `unchangedMs`. The others are forgotten.
   *
   * @returns 0 also where the grid begins before what is held
   */
  keepUpTo(unchangedMs: number, grid: StepGrid): number {
    const good = unchangedMs === Number.POSITIVE_INFINITY ? this.count : this.#stepsUpTo(unchangedMs)
    this.count = Math.min(this.count, Math.max(0, good))
    if (grid.startMs < this.startMs) return 0
    return Math.max(0, Math.min(grid.count, this.count - this.#indexOf(grid.startMs)))
  }

  /** Puts the series of the grid's steps from `from` on behind what is held, which may reach beyond: that is replaced. */
  extend(grid: StepGrid, from: number, tail: readonly MatrixSeries[], origin: AnswerOrigin): void {
    this.#makeRoom(grid)
    const first = this.#indexOf(grid.timeMs(from))
    this.origin = origin
    this.count = first + grid.count - from
    const merged: HeldSeries[] = []
    let t = 0
    for (const held of this.#series) {
      while (t < tail.length && compareLabels(tail[t]!.labels, held.labels) < 0) merged.push(this.#added(tail[t++]!))
      held.present.fill(0, first, this.count)
      if (t < tail.length && compareLabels(tail[t]!.labels, held.labels) === 0) this.#fill(held, tail[t++]!)
      merged.push(held)
    }
    while (t < tail.length) merged.push(this.#added(tail[t++]!))
    this.#series = merged
  }

  /** The answer on a grid that lies inside of what is held; its columns are good until the next `extend`. */
  slice(grid: StepGrid): MatrixSeries[] {
    const from = this.#indexOf(grid.startMs)
    const to = from + grid.count
    const found: MatrixSeries[] = []
    for (const { labels, values, present } of this.#series) {
      const own = present.subarray(from, to)
      const count = countPresent(own)
      if (count === grid.count) found.push({ labels, timestampsMs: grid.timesMs, values: values.subarray(from, to) })
      else if (count > 0) found.push({ labels, ...presentPoints(values.subarray(from, to), own, count, grid) })
    }
    return found
  }

  #indexOf(timeMs: number): number {
    return (timeMs - this.startMs) / this.#stepMs
  }

  #stepsUpTo(timeMs: number): number {
    return Math.floor((timeMs - this.startMs) / this.#stepMs) + 1
  }

  #make(labels: Labels): HeldSeries {
    const memory = new ArrayBuffer(9 * this.#capacity)
    const values = new Float64Array(memory, 0, this.#capacity)
    return { labels, values, present: new Uint8Array(memory, 8 * this.#capacity) }
  }

  #added(series: MatrixSeries): HeldSeries {
    const held = this.#make(series.labels)
    this.#fill(held, series)
    return held
  }

  #fill({ values, present }: HeldSeries, { timestampsMs, values: given }: MatrixSeries): void {
    const count = given.length
    const first = this.#indexOf(timestampsMs[0]!)
    if (this.#indexOf(timestampsMs[count - 1]!) - first === count - 1) {
      values.set(given, first)
      present.fill(1, first, first + count)
      return
    }
    for (let i = 0; i < count; i++) {
      const index = this.#indexOf(timestampsMs[i]!)
      values[index] = given[i]!
      present[index] = 1
    }
  }

  /** Where the grid's end would not fit, what lies before its start makes room, and where that is too little, columns grow. */
  #makeRoom(grid: StepGrid): void {
    const skipped = this.#indexOf(grid.startMs)
    if (skipped + grid.count <= this.#capacity) return
    const kept = Math.max(0, this.count - skipped)
    this.startMs = grid.startMs
    this.count = kept
    const mustGrow = grid.count > this.#capacity
    if (mustGrow) this.#capacity = withSpare(grid.count)
    const moved: HeldSeries[] = []
    for (const held of this.#series) {
      const { labels, values, present } = held
      if (!present.subarray(skipped, skipped + kept).includes(1)) continue
      const to = mustGrow ? this.#make(labels) : held
      to.values.set(values.subarray(skipped, skipped + kept))
      to.present.set(present.subarray(skipped, skipped + kept))
      to.present.fill(0, kept)
      moved.push(to)
    }
    this.#series = moved
  }
}

const withSpare = (steps: number): number => steps + Math.max(SPARE_STEPS_MIN, steps >>> 2)

function presentPoints(
  values: Float64Array,
  present: Uint8Array,
  count: number,
  grid: StepGrid,
): Pick<MatrixSeries, 'timestampsMs' | 'values'> {
  const timestampsMs = new Float64Array(count)
  const compact = new Float64Array(count)
  let at = 0
  for (let step = 0; step < present.length; step++) {
    if (present[step] === 0) continue
    timestampsMs[at] = grid.timeMs(step)
    compact[at++] = values[step]!
  }
  return { timestampsMs, values: compact }
}

const ASKED_MAX = 1000
/** One answer takes at most this share of the cache. */
const SHARE = 4

/** Answers to range queries that were asked more than once; the ones used longest ago go first. */
export class RangeCache {
  readonly #bytesMax: number
  readonly #held = new Map<string, { answer: HeldAnswer; bytes: number }>()
  /** Asked for once and not held: an answer that nobody asks for again is not worth its memory. */
  readonly #asked = new Set<string>()
  #bytes = 0
  #hits = 0
  #misses = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get stats(): RangeCacheStats {
    return { hits: this.#hits, misses: this.#misses, bytes: this.#bytes }
  }

  find(key: string): HeldAnswer | undefined {
    return this.#held.get(key)?.answer
  }

  noteHit(): void {
    this.#hits++
  }

  noteMiss(): void {
    this.#misses++
  }

  /** Whether the answer is to be kept: from the second time on that it is asked for. */
  isWanted(key: string): boolean {
    if (this.#held.has(key) || this.#asked.delete(key)) return true
    this.#asked.add(key)
    if (this.#asked.size > ASKED_MAX) this.#asked.delete(this.#asked.values().next().value!)
    return false
  }

  /** Keeps an answer, or takes note of what it takes now. */
  keep(key: string, answer: HeldAnswer): void {
    this.drop(key)
    const { bytes } = answer
    if (bytes * SHARE > this.#bytesMax) return
    this.#held.set(key, { answer, bytes })
    this.#bytes += bytes
    for (const [oldest, { bytes: freed }] of this.#held) {
      if (this.#bytes <= this.#bytesMax) return
      this.#held.delete(oldest)
      this.#bytes -= freed
    }
  }

  drop(key: string): void {
    const known = this.#held.get(key)
    if (known === undefined) return
    this.#held.delete(key)
    this.#bytes -= known.bytes
  }
}
