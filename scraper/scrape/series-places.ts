import { LockstepMap } from '../../kernels/index.ts'
import type { ExpositionSample, GroupWriter, Labels } from '../../model/index.ts'
import { LabelIndex } from './label-index.ts'
import type { LooseLine } from './line-events.ts'
import type { PositionStates } from './position-states.ts'
import { labelsOverTarget, seriesLabels } from './series-labels.ts'
import type { SideSamples } from './side-samples.ts'
import type { TargetRowsRules } from './target-rules.ts'

/** A new line, and what series it is. */
export interface ResolvedLine {
  readonly line: number
  readonly sample: ExpositionSample
  /** As stored, those of the target among them. */
  readonly labels: Labels
}

export interface SeriesPlacesParts {
  readonly targetLabels: Labels
  readonly states: PositionStates
  readonly side: SideSamples
}

/** Which series the lines of one target's pages are, and which position each has in its rows. */
export class SeriesPlaces {
  readonly #targetLabels: Labels
  readonly #states: PositionStates
  readonly #side: SideSamples
  readonly #positions = new LabelIndex()
  #rules: TargetRowsRules
  /** Lines that named a series once more, in what was placed last. */
  duplicateCount = 0

  constructor({ targetLabels, states, side }: SeriesPlacesParts, rules: TargetRowsRules) {
    this.#targetLabels = targetLabels
    this.#states = states
    this.#side = side
    this.#rules = rules
  }

  /** Positions stay; lines are understood by the new rules from now on. */
  changeRules(rules: TargetRowsRules): void {
    this.#rules = rules
  }

  /** A series that no line has brought. */
  add(labels: Labels, position: number): void {
    this.#positions.add(labels, position)
  }

  /**
   * Finds out the labels of new lines, marks those that are dropped, stages samples of known external series.
   *
   * @throws {ScrapeLimitError}
   */
  resolve(loose: readonly LooseLine[], map: Int32Array): ResolvedLine[] {
    const resolved: ResolvedLine[] = []
    for (const { line, fresh, sample } of loose) {
      const known = fresh ? LockstepMap.FRESH : map[line]!
      if (known <= LockstepMap.EXTERNAL_LAST) {
        this.#side.stageExternal(LockstepMap.EXTERNAL_LAST - known, sample.timestampMs, sample.value)
      } else if (known === LockstepMap.FRESH || (known >= 0 && this.#side.takes(sample.timestampMs))) {
        const labels = seriesLabels(sample.labels, sample.emptyLabels, this.#targetLabels, this.#rules)
        map[line] = labels === undefined ? LockstepMap.DROPPED : LockstepMap.FRESH
        if (labels) resolved.push({ line, sample, labels })
      }
    }
    return resolved
  }

  /**
   * Gives new lines their positions; of lines with the same labels the first wins.
   *
   * @param claimed by position, 1 where a line of the page owns it; brought up to date
   * @returns how many series came up
   */
  place(group: GroupWriter, resolved: readonly ResolvedLine[], map: Int32Array, claimed: Uint8Array): number {
    const added: Labels[] = []
    const firstAdded = group.positionCount
    let cameUp = 0
    this.duplicateCount = 0
    for (const { line, sample, labels } of resolved) {
      if (this.#side.takes(sample.timestampMs)) {
        const slot = this.#side.slotOf(labels)
        this.#side.stageExternal(slot, sample.timestampMs, sample.value)
        map[line] = LockstepMap.EXTERNAL_LAST - slot
        continue
      }
      let position = this.#positions.find(labels)
      if (position < 0) {
        position = firstAdded + added.length
        added.push(labelsOverTarget(labels, this.#targetLabels))
        this.#positions.add(labels, position)
      }
      if (claimed[position] === 1) {
        this.duplicateCount++
        // A line known from the page before may stand further down, under another spelling.
        const owner = map.indexOf(position)
        map[Math.max(owner, line)] = LockstepMap.DUPLICATE
        if (line < owner) map[line] = position
        continue
      }
      claimed[position] = 1
      map[line] = position
      if (!this.#states.isLive(position)) cameUp++
    }
    if (added.length > 0) group.addSeries(added)
    this.#states.grow(group.positionCount)
    return cameUp
  }
}

/** By position, 1 where a known line of the page owns it. */
export function claimedPositions(map: Int32Array, positionCountMax: number): Uint8Array {
  const claimed = new Uint8Array(positionCountMax)
  for (let i = 0; i < map.length; i++) if (map[i]! >= 0) claimed[map[i]!] = 1
  return claimed
}
