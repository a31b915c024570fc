import type { TimeRange } from '../../model/index.ts'
import type { GroupSource, NewestValues, Piece, SummaryPart } from './piece.ts'

/** A source of which only some times are looked at. */
export class LimitedSource implements GroupSource {
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly summary?: SummaryPart
  readonly #source: GroupSource
  readonly #ranges: readonly TimeRange[]

  private constructor(source: GroupSource, ranges: readonly TimeRange[], summary: SummaryPart | undefined) {
    this.target = source.target
    this.overlays = source.overlays
    this.minTimeMs = Math.max(source.minTimeMs, ranges[0]!.minTimeMs)
    this.maxTimeMs = Math.min(source.maxTimeMs, ranges.at(-1)!.maxTimeMs)
    if (summary !== undefined) this.summary = summary
    this.#source = source
    this.#ranges = ranges
  }

  /** @returns nothing where a source has nothing in those times */
  static of(source: GroupSource, ranges: readonly TimeRange[], summary?: SummaryPart): LimitedSource[] {
    const own = ranges.filter(
      ({ minTimeMs, maxTimeMs }) => minTimeMs <= source.maxTimeMs && maxTimeMs >= source.minTimeMs,
    )
    return own.length === 0 ? [] : [new LimitedSource(source, own, summary)]
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    const fromMs = minTimeMs - (this.summary?.reachBackMs ?? 0)
    return this.#ranges.flatMap((range) => {
      const from = Math.max(fromMs, range.minTimeMs)
      const to = Math.min(maxTimeMs, range.maxTimeMs)
      return from <= to ? this.#source.open(from, to) : []
    })
  }

  hasSamples(index: number, minTimeMs: number, maxTimeMs: number): boolean {
    return this.#ranges.some((range) =>
      this.#source.hasSamples(index, Math.max(minTimeMs, range.minTimeMs), Math.min(maxTimeMs, range.maxTimeMs)),
    )
  }

  newest(): NewestValues | undefined {
    return undefined
  }
}
