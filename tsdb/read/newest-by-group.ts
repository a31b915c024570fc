// Hot: aggregations of very many series at one time. Covered by bench/load/history.ts.
import type { NewestByGroup, SeriesGroup, TimeRange } from '../../model/index.ts'
import { NewestState } from './piece.ts'
import type { TargetSeries } from './selection.ts'
import type { SeriesGroups } from './series-groups.ts'

// In the joined code an import may lie in another piece, which is asked for it each time that it is named.
const { STALE, VALUE } = NewestState

/**
 * The newest samples of all series, from the last values alone.
 *
 * @param hasHistograms a staleness marker may stand for a histogram
 * @returns `undefined` where these do not tell all
 */
export function newestByGroup(
  targets: readonly TargetSeries[],
  groups: SeriesGroups,
  range: TimeRange,
  hasHistograms: boolean,
): NewestByGroup | undefined {
  if (targets.some(({ sources }) => sources.length > 1)) return undefined
  const total = targets.reduce((sum, { overlays }) => sum + overlays.length, 0)
  const values = new Float64Array(total)
  const groupIndexes = new Uint32Array(total)
  const states = new Uint8Array(targets.reduce((most, { overlays }) => Math.max(most, overlays.length), 0))
  const known = new GroupNumbers()
  let length = 0
  for (const { target, sources, overlays } of targets) {
    const count = overlays.length
    const own = values.subarray(length, length + count)
    const newest = sources[0]!.newest(range.maxTimeMs)
    if (newest?.fill(count, range, own, states) !== true) return undefined
    let kept = 0
    for (let i = 0; i < count; i++) {
      if (states[i] === STALE && hasHistograms) return undefined
      if (states[i] !== VALUE) continue
      own[kept] = own[i]!
      groupIndexes[length + kept++] = known.numberOf(groups.groupOf(target, overlays[i]!))
    }
    length += kept
  }
  return { groups: known.groups, values, groupIndexes, length }
}

/** Numbers groups in order of appearance. */
class GroupNumbers {
  readonly groups: SeriesGroup[] = []
  readonly #numbers = new Map<SeriesGroup, number>()
  #last: SeriesGroup | undefined
  #lastNumber = 0

  numberOf(group: SeriesGroup): number {
    if (group === this.#last) return this.#lastNumber
    let number = this.#numbers.get(group)
    if (number === undefined) {
      number = this.groups.length
      this.#numbers.set(group, number)
      this.groups.push(group)
    }
    this.#last = group
    this.#lastNumber = number
    return number
  }
}
