import type { CoarseSamples } from '../../model/index.ts'
import { stretchEnd } from '../block/summary-kinds.ts'
import type { ColumnAssembler, Samples } from './column-output.ts'
import type { SummaryPart } from './piece.ts'

/** Puts series together of which a part is summarised. */
export class SummaryColumns {
  readonly #samples: ColumnAssembler
  readonly #side: ColumnAssembler | undefined
  readonly #parts: readonly SummaryPart[]
  readonly #coarse: CoarseSamples | undefined

  /**
   * @param side what goes with the samples
   * @param parts what is told of the summaries among the samples
   */
  constructor(samples: ColumnAssembler, side: ColumnAssembler | undefined, parts: readonly SummaryPart[]) {
    this.#samples = samples
    this.#side = side
    this.#parts = parts
    this.#coarse = coarseOf(parts)
  }

  assemble(series: number): Samples | undefined {
    const found = this.#samples.assemble(series)
    if (found === undefined) return undefined
    if (this.#coarse !== undefined) return { ...found, coarse: this.#coarse }
    const role = this.#parts.find(({ side }) => side !== undefined)?.side
    const isThin = this.#parts.some((part) => part.isThin)
    if (this.#side === undefined && !isThin) return found
    // Reading on may move what was found.
    const samples = { ...found, values: found.values.slice(0, found.length) }
    const side = this.#side?.assemble(series)
    if (role === 'counts') return { ...samples, counts: countsOf(samples, side) }
    if (!isThin) return side === undefined ? samples : withResets(samples, side)
    return lastOfStretches(side === undefined ? samples : withoutResets(samples, side), this.#parts)
  }
}

function coarseOf(parts: readonly SummaryPart[]): CoarseSamples | undefined {
  const reaching = parts.filter(({ reachBackMs }) => reachBackMs > 0)
  if (reaching.length === 0) return undefined
  const ends = reaching.flatMap(({ ranges }) => ranges.map(({ maxTimeMs }) => maxTimeMs))
  return {
    untilMs: ends.reduce((a, b) => Math.max(a, b)),
    resolutionMs: reaching.reduce((most, { resolutionMs }) => Math.max(most, resolutionMs), 0),
  }
}

/** Samples that nothing is told of stand for themselves. */
function countsOf({ timestampsMs, length }: Samples, side: Samples | undefined): Float64Array {
  const counts = new Float64Array(length).fill(1)
  for (let i = 0, at = 0; side !== undefined && i < length && at < side.length; i++) {
    while (at < side.length && side.timestampsMs[at]! < timestampsMs[i]!) at++
    if (at < side.length && side.timestampsMs[at] === timestampsMs[i]) counts[i] = side.values[at]!
  }
  return counts
}

/**
 * A counter that shows where it began anew between two samples that are kept: two more between them, what it had reached in
 * all, and zero. What it rose by is then what the samples said that are gone.
 *
 * @param resets what the counter had reached by then in all, at the last sample of a stretch
 */
function withResets(samples: Samples, resets: Samples): Samples {
  const { timestampsMs, values, length, stale } = samples
  const lostAt = new Map<number, number>()
  for (let i = 0; i < resets.length; i++) {
    if (resets.values[i]! > 0) lostAt.set(resets.timestampsMs[i]!, resets.values[i]!)
  }
  const size = length + 2 * lostAt.size
  const times = new Float64Array(size)
  const shown = new Float64Array(size)
  const markers = stale && new Uint8Array(size)
  let to = 0
  for (let i = 0; i < length; i++) {
    const timeMs = timestampsMs[i]!
    const lost = i > 0 ? lostAt.get(timeMs) : undefined
    if (lost !== undefined) {
      const beforeMs = timestampsMs[i - 1]!
      times[to] = beforeMs + (timeMs - beforeMs) / 3
      shown[to++] = lost
      times[to] = beforeMs + ((timeMs - beforeMs) * 2) / 3
      shown[to++] = 0
    }
    if (markers !== undefined) markers[to] = stale![i]!
    times[to] = timeMs
    shown[to++] = values[i]!
  }
  return { timestampsMs: times, values: shown, length: to, stale: markers }
}

/**
 * A counter as if it had never begun anew where that happened between two samples that are kept. The newest values stay what
 * they are, so that what follows fits; those before are lowered.
 *
 * @param resets as above
 */
function withoutResets(samples: Samples, resets: Samples): Samples {
  const { timestampsMs, values, length, stale } = samples
  const lowered = values.slice()
  let hasChanged = false
  let at = resets.length - 1
  let next = -1
  for (let i = length - 1; i >= 0; i--) {
    if (stale?.[i] === 1) continue
    if (next >= 0) {
      while (at >= 0 && resets.timestampsMs[at]! > timestampsMs[next]!) at--
      const lost = at >= 0 && resets.timestampsMs[at] === timestampsMs[next] ? resets.values[at]! : 0
      hasChanged ||= lost !== 0
      if (hasChanged)
        lowered[i] = lowered[next]! - (lost !== 0 ? values[next]! - values[i]! + lost : rise(values[i]!, values[next]!))
    }
    next = i
  }
  return hasChanged ? { ...samples, values: lowered } : samples
}

const rise = (before: number, after: number): number => (after < before ? after : after - before)

/** Leaves out what is followed by another sample of its stretch. */
function lastOfStretches(samples: Samples, parts: readonly SummaryPart[]): Samples {
  const { timestampsMs, values, length, stale } = samples
  const kept: number[] = []
  let nextEndMs = Number.NaN
  for (let i = length - 1; i >= 0; i--) {
    const timeMs = timestampsMs[i]!
    const part = parts.find(({ ranges }) => ranges.some((r) => r.minTimeMs <= timeMs && timeMs <= r.maxTimeMs))
    const endMs = part === undefined ? Number.NaN : stretchEnd(timeMs, part.resolutionMs)
    if (stale?.[i] !== 1) {
      if (endMs === nextEndMs) continue
      nextEndMs = endMs
    }
    kept.push(i)
  }
  kept.reverse()
  return {
    timestampsMs: Float64Array.from(kept, (i) => timestampsMs[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
    length: kept.length,
    stale: stale && Uint8Array.from(kept, (i) => stale[i]!),
  }
}
