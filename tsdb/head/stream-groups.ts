// Hot: every sample of a batch passes here. Covered by bench/load/remote-write.ts.
import { EMPTY_LABELS } from '../../model/index.ts'
import type { Head } from './head.ts'
import type { HeadGroup } from './head-group.ts'
import { PairMap } from './pair-map.ts'
import { grownTo, type StagedSamples } from './staged-samples.ts'

const NO_GROUP = 0xffff_ffff
/** So many series of one time and batch get a group of their own; fewer share one with others. */
const OWN_GROUP_SERIES_MIN = 8

/** Samples of one time in one batch: those that `order[from]` to `order[to - 1]` of the staged ones name. */
export interface Run {
  readonly timestampMs: number
  readonly from: number
  readonly to: number
}

/**
 * The sparse groups of a stream, and where its series live. Samples of one batch that have one time go to one group, as one
 * wide row: to the one where most of their series were written last. So what a sender ships together (the scrape of a target, the
 * results of a rule group) stays together and shares its timestamps, and where a sender cuts its batches anew each time, the series
 * beside the cut change between the same few groups.
 *
 * A group takes rows of growing time only. Series that find their group written already at their time go together to
 * one that all series have left and that knows them, else to a new one. Single series that come at times of their own share a group: a group
 * each would cost more than it holds.
 */
export class StreamGroups {
  readonly #head: Head
  readonly #name: string
  /** By number; `undefined` once nothing more is written there. */
  readonly #groups: (HeadGroup | undefined)[] = []
  readonly #positions = new PairMap()
  /** Numbers that nothing refers to any more. */
  readonly #unused: number[] = []
  /** Groups that take few series at a time. */
  readonly #shared = new Set<number>()
  /** Groups of their own that no series lives in now. */
  readonly #left = new Set<number>()
  readonly #late = new Set<number>()
  // By series: number of the group that took its last sample in order, and the position there.
  #home = new Uint32Array(0)
  #homePosition = new Uint32Array(0)
  // By group: time of the row that the batch at work will write last, valid where `#plannedIn` is that batch's number.
  readonly #plannedMs: number[] = []
  readonly #plannedIn: number[] = []
  #batch = 0
  readonly #votes: number[] = []

  constructor(head: Head, name: string) {
    this.#head = head
    this.#name = name
  }

  /** Makes room for series up to `capacity`; new ones live nowhere. */
  reserve(capacity: number): void {
    const from = this.#home.length
    if (capacity <= from) return
    this.#home = grownTo(this.#home, new Uint32Array(capacity)).fill(NO_GROUP, from)
    this.#homePosition = grownTo(this.#homePosition, new Uint32Array(capacity))
  }

  /** Forgets where a series lives. */
  release(series: number): void {
    const home = this.#home[series]!
    if (home === NO_GROUP) return
    this.#home[series] = NO_GROUP
    const group = this.#groups[home]!
    if (--group.homeCount === 0 && !this.#shared.has(home)) this.#left.add(home)
  }

  /** Rows are planned for another batch; those planned before have been written, or never will be. */
  startBatch(): void {
    this.#batch++
  }

  /**
   * Chooses the group of a run, gives its samples their positions there (in `staged.positions`, at the index they have in
   * `staged.order`), and takes note that it will be written at that time. New groups and positions are made here.
   *
   * @param labelSets by series
   */
  settle(staged: StagedSamples, labelSets: Uint32Array, run: Run, isLate: boolean): HeadGroup {
    const index = isLate ? this.#lateGroup(run.timestampMs) : this.#groupFor(staged, labelSets, run)
    this.#plannedMs[index] = run.timestampMs
    this.#plannedIn[index] = this.#batch
    const group = this.#groups[index]!
    if (!isLate && this.#areAllHome(staged, run, index)) return group
    this.#addMissing(staged, labelSets, run, index)
    for (let slot = run.from; slot < run.to; slot++) {
      const series = staged.series[staged.order[slot]!]!
      const position = this.#positions.get(index, labelSets[series]!)
      staged.positions[slot] = position
      if (!isLate) this.#moveHome(series, index, position)
    }
    return group
  }

  /** Gives up groups in which most series were not written since `beforeMs`, and late ones that hold nothing any more. */
  reclaim(beforeMs: number): void {
    this.#retire((group) => (group.isLate ? group.isEmpty : this.#isMostlyGone(group, beforeMs)))
    const unused = [...this.#groups.keys()].filter((i) => this.#groups[i] === undefined && !this.#unused.includes(i))
    if (unused.length === 0) return
    for (const [series, home] of this.#home.entries()) {
      if (home !== NO_GROUP && this.#groups[home] === undefined) this.#home[series] = NO_GROUP
    }
    this.#positions.retain((group) => this.#groups[group] !== undefined)
    this.#unused.push(...unused)
  }

  #areAllHome(staged: StagedSamples, { from, to }: Run, index: number): boolean {
    const { order, series, positions } = staged
    const home = this.#home
    const homePosition = this.#homePosition
    for (let slot = from; slot < to; slot++) {
      const own = series[order[slot]!]!
      if (home[own] !== index) return false
      positions[slot] = homePosition[own]!
    }
    return true
  }

  #newestOf(index: number): number {
    return this.#plannedIn[index] === this.#batch ? this.#plannedMs[index]! : this.#groups[index]!.newestMs
  }

  #groupFor(staged: StagedSamples, labelSets: Uint32Array, run: Run): number {
    const voted = this.#vote(staged, run)
    if (voted >= 0) return voted
    const { timestampMs, from, to } = run
    const isFree = (index: number): boolean => this.#newestOf(index) < timestampMs
    if (to - from < OWN_GROUP_SERIES_MIN) {
      for (const index of this.#shared) if (isFree(index)) return index
      const index = this.#addGroup(false)
      this.#shared.add(index)
      return index
    }
    const probes = [from, (from + to) >>> 1, to - 1].map((slot) => labelSets[staged.series[staged.order[slot]!]!]!)
    for (const index of this.#left) {
      if (isFree(index) && probes.some((labelSet) => this.#positions.get(index, labelSet) >= 0)) return index
    }
    return this.#addGroup(false)
  }

  /** The group that may be written at that time and is home to most series of the run; -1 when a new place is better. */
  #vote({ order, series }: StagedSamples, { timestampMs, from, to }: Run): number {
    const home = this.#home
    const votes = this.#votes
    const seen: number[] = []
    let newcomers = 0
    for (let slot = from; slot < to; slot++) {
      const own = home[series[order[slot]!]!]!
      if (own === NO_GROUP) newcomers++
      else if (votes[own]!++ === 0) seen.push(own)
    }
    let best = -1
    let bestVotes = 0
    for (const index of seen) {
      if (votes[index]! > bestVotes && this.#newestOf(index) < timestampMs) {
        best = index
        bestVotes = votes[index]!
      }
      votes[index] = 0
    }
    // A handful that shared a group has become many.
    const size = to - from
    const isOutgrown = this.#shared.has(best) && size >= OWN_GROUP_SERIES_MIN && newcomers * 4 > size * 3
    return isOutgrown ? -1 : best
  }

  /** The oldest late group that may be written at that time. */
  #lateGroup(timestampMs: number): number {
    for (const index of this.#late) if (this.#newestOf(index) < timestampMs) return index
    const index = this.#addGroup(true)
    this.#late.add(index)
    return index
  }

  #addGroup(isLate: boolean): number {
    // Late groups must be younger than all others.
    if (!isLate) this.#retire((group) => group.isLate)
    const group = this.#head.createGroup(EMPTY_LABELS, this.#name, { isSparse: true, isLate })
    const index = this.#unused.pop() ?? this.#groups.length
    this.#groups[index] = group
    this.#votes[index] = 0
    return index
  }

  /** Adds the series that have no position yet. */
  #addMissing({ order, series }: StagedSamples, labelSets: Uint32Array, { from, to }: Run, index: number): void {
    const missing = new Set<number>()
    for (let slot = from; slot < to; slot++) {
      const labelSet = labelSets[series[order[slot]!]!]!
      if (this.#positions.get(index, labelSet) < 0) missing.add(labelSet)
    }
    if (missing.size === 0) return
    const { catalogue } = this.#head
    const labels = Array.from(missing, (labelSet) => catalogue.labelSetLabels(labelSet))
    let position = this.#head.addSeries(this.#groups[index]!, labels)
    for (const labelSet of missing) this.#positions.set(index, labelSet, position++)
  }

  #moveHome(series: number, index: number, position: number): void {
    if (this.#home[series] !== index) {
      this.release(series)
      this.#home[series] = index
      if (this.#groups[index]!.homeCount++ === 0) this.#left.delete(index)
    }
    this.#homePosition[series] = position
  }

  #isMostlyGone(group: HeadGroup, beforeMs: number): boolean {
    const { f64 } = this.#head.memory.views
    const { lastTs } = group.state
    let live = 0
    for (let p = 0; p < group.positionCount; p++) if (f64[(lastTs >>> 3) + p]! >= beforeMs) live++
    return group.positionCount > 0 && live * 2 < group.positionCount
  }

  #retire(isWanted: (group: HeadGroup) => boolean): void {
    for (const [index, group] of this.#groups.entries()) {
      if (group === undefined || !isWanted(group)) continue
      this.#groups[index] = undefined
      for (const set of [this.#shared, this.#left, this.#late]) set.delete(index)
      this.#head.disown(group)
    }
  }
}
