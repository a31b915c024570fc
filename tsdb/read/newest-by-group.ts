// Hot: aggregations of very many series at one time. Covered by bench/load/history.ts.
import type { NewestByGroup, SeriesGroup, TimeRange } from '../../model/index.ts'
import type { Scratch } from '../memory/scratch.ts'
import { NewestState } from './piece.ts'
import type { TargetSeries } from './selection.ts'
import type { SeriesGroups } from './series-groups.ts'

// In the joined code an import may lie in another piece, which is asked for it each time that it is named.
const { STALE, VALUE } = NewestState

/**
 * The newest samples of all series, from the last values alone.
 *
 * @param hasHistograms a staleness marker may stand for a histogram
 * @param scratch what is told lies in it
 * @returns `undefined` where these do not tell all
 */
export function newestByGroup(
  targets: readonly TargetSeries[],
  groups: SeriesGroups,
  range: TimeRange,
  hasHistograms: boolean,
  scratch: Scratch,
): NewestByGroup | undefined {
  if (targets.some(({ sources }) => sources.length > 1)) return undefined
  const { values, groupIndexes, states: room } = arraysFor(targets, scratch)
  const numbers = new GroupNumbers(groups)
  let length = 0
  for (const { target, sources, overlays } of targets) {
    const own = values.subarray(length, length + overlays.length)
    const states = room.subarray(0, overlays.length)
    if (sources[0]!.fillNewest?.(range, own, states) !== true) return undefined
    if (hasHistograms && states.includes(STALE)) return undefined
    numbers.startTarget(target)
    for (let i = 0; i < overlays.length; i++) {
      if (states[i] !== VALUE) continue
      values[length] = own[i]!
      groupIndexes[length++] = numbers.numberOf(overlays[i]!)
    }
  }
  return { groups: numbers.groups, values, groupIndexes, length }
}

function arraysFor(targets: readonly TargetSeries[], scratch: Scratch) {
  let total = 0
  let most = 0
  for (const { overlays } of targets) {
    total += overlays.length
    most = Math.max(most, overlays.length)
  }
  const [values, groupIndexes, states] = [scratch.take(8 * total), scratch.take(4 * total), scratch.take(most)]
  const { f64, u32, u8 } = scratch.views
  return {
    values: f64.subarray(values >>> 3, (values >>> 3) + total),
    groupIndexes: u32.subarray(groupIndexes >>> 2, (groupIndexes >>> 2) + total),
    states: u8.subarray(states, states + most),
  }
}

/** Numbers groups in order of appearance. */
class GroupNumbers {
  readonly groups: SeriesGroup[] = []
  readonly #groups: SeriesGroups
  readonly #numbers = new Map<SeriesGroup, number>()
  /** By what is left of a series' labels: the number of its group, and at which target that was found. */
  #known = new Uint32Array(16)
  #marks = new Uint32Array(16)
  #target = -1
  #mark = 0

  constructor(groups: SeriesGroups) {
    this.#groups = groups
  }

  startTarget(target: number): void {
    this.#target = target
    this.#mark++
  }

  numberOf(overlay: number): number {
    const rest = this.#groups.restOf(overlay)
    return this.#marks[rest] === this.#mark ? this.#known[rest]! : this.#find(overlay, rest)
  }

  #find(overlay: number, rest: number): number {
    const group = this.#groups.groupOf(this.#target, overlay)
    let number = this.#numbers.get(group)
    if (number === undefined) {
      number = this.groups.length
      this.#numbers.set(group, number)
      this.groups.push(group)
    }
    if (rest >= this.#known.length) {
      this.#known = grown(this.#known, 2 * rest)
      this.#marks = grown(this.#marks, 2 * rest)
    }
    this.#known[rest] = number
    this.#marks[rest] = this.#mark
    return number
  }
}

function grown(numbers: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(length)
  longer.set(numbers)
  return longer
}
