import { labelsKey, projectLabels, type SeriesGroup, type SeriesGrouping } from '../../model/index.ts'
import type { LabelIndex } from './label-index.ts'

/** What each label set is cut down to by one grouping; kept over queries, as label sets never change. */
class Projection {
  readonly #index: LabelIndex
  readonly #names: ReadonlySet<number>
  readonly #keep: boolean
  /** Number of the cut-down set plus 1, by label set; 0 where it was not needed yet. */
  #numbers = new Uint32Array(0)
  readonly #byPairs = new Map<string, number>()

  constructor(index: LabelIndex, { names, keep }: SeriesGrouping) {
    this.#index = index
    this.#names = new Set(Array.from(names, (name) => index.symbol(name)))
    this.#keep = keep
  }

  get bytes(): number {
    return this.#numbers.byteLength + 100 * this.#byPairs.size
  }

  /** Equal for label sets of which the same is left, labels taken away (with an empty value) included. */
  numberOf(labelSet: number): number {
    const known = labelSet < this.#numbers.length ? this.#numbers[labelSet]! : 0
    return known === 0 ? this.#project(labelSet) : known - 1
  }

  #project(labelSet: number): number {
    const index = this.#index
    const pairs = index.pairWords
    let key = ''
    for (let at = index.pairsFrom(labelSet); at < index.pairsTo(labelSet); at += 2) {
      if (this.#names.has(pairs[at]!) === this.#keep) key += `${pairs[at]},${pairs[at + 1]},`
    }
    let number = this.#byPairs.get(key)
    if (number === undefined) {
      number = this.#byPairs.size
      this.#byPairs.set(key, number)
    }
    if (labelSet >= this.#numbers.length) {
      const grown = new Uint32Array(Math.max(index.labelSetCount, 2 * this.#numbers.length))
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[labelSet] = number + 1
    return number
  }
}

const BYTES_MAX = 8 << 20

/** The groupings that were asked for last. */
export class GroupingCache {
  readonly #index: LabelIndex
  readonly #projections = new Map<string, Projection>()

  constructor(index: LabelIndex) {
    this.#index = index
  }

  groups(grouping: SeriesGrouping): SeriesGroups {
    const projection = this.#projections.get(grouping.key) ?? new Projection(this.#index, grouping)
    this.#projections.delete(grouping.key)
    let bytes = projection.bytes
    for (const { bytes: more } of this.#projections.values()) bytes += more
    for (const [key, oldest] of this.#projections) {
      if (bytes <= BYTES_MAX) break
      this.#projections.delete(key)
      bytes -= oldest.bytes
    }
    this.#projections.set(grouping.key, projection)
    return new SeriesGroups(this.#index, projection, grouping)
  }
}

/** Sorts the series of one `select` into groups, by numbers; only the first of a group has its labels looked at. */
export class SeriesGroups {
  readonly #index: LabelIndex
  readonly #projection: Projection
  readonly #grouping: SeriesGrouping
  /** By what is left of the target's labels, then of the series'. */
  readonly #byTarget = new Map<number, (SeriesGroup | undefined)[]>()
  readonly #byLabels = new Map<string, SeriesGroup>()
  #target = -1
  #ofTarget: (SeriesGroup | undefined)[] = []

  constructor(index: LabelIndex, projection: Projection, grouping: SeriesGrouping) {
    this.#index = index
    this.#projection = projection
    this.#grouping = grouping
  }

  /** Number of what the grouping leaves of a series' own labels; series of one target that share it share their group. */
  restOf(overlay: number): number {
    return this.#projection.numberOf(overlay)
  }

  groupOf(target: number, overlay: number): SeriesGroup {
    if (target !== this.#target) this.#take(target)
    const number = this.#projection.numberOf(overlay)
    return (this.#ofTarget[number] ??= this.#find(target, overlay))
  }

  #take(target: number): void {
    const number = this.#projection.numberOf(target)
    let own = this.#byTarget.get(number)
    if (own === undefined) this.#byTarget.set(number, (own = []))
    this.#target = target
    this.#ofTarget = own
  }

  /** A label may stand in the target here, and in the series there: in the end the labels decide. */
  #find(target: number, overlay: number): SeriesGroup {
    const { names, keep } = this.#grouping
    const labels = projectLabels(this.#index.effectiveLabels(target, overlay), names, keep)
    const key = labelsKey(labels)
    let group = this.#byLabels.get(key)
    if (group === undefined) this.#byLabels.set(key, (group = { labels }))
    return group
  }
}
