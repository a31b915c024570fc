import type { BlockGroup } from './block-index.ts'

// Rows of one column: long enough for the packer, short enough for a query that wants an hour of a month.
const SEGMENT_ROWS = 8192

/** Groups of one target out of the blocks that are merged, one after the other in time. Its rows are theirs. */
export interface Lane {
  /** The target's label set. */
  readonly target: number
  readonly parts: LanePart[]
  rowCount: number
}

interface LanePart {
  readonly parent: number
  readonly group: BlockGroup
  /** Of its rows, in the lane. */
  readonly firstRow: number
}

export interface LaneGroup {
  readonly target: number
  readonly parent: number
  readonly group: BlockGroup
}

/**
 * Lines up the groups of each target. Groups whose times overlap go to lanes of their own: readers merge those anyway. Of two
 * samples of one time that of the later group counts, so a group never goes to a lane before one that it overlaps.
 *
 * @param groups of the first block, then of the second, …
 * @returns the lanes, and for each group its lane and part
 */
export function lineUp(groups: readonly LaneGroup[]): { lanes: Lane[]; places: { lane: number; part: number }[] } {
  const lanes: Lane[] = []
  const byTarget = new Map<number, number[]>()
  const places = groups.map(({ target, parent, group }) => {
    const own = byTarget.get(target) ?? []
    byTarget.set(target, own)
    const lastBusy = own.findLastIndex((other) => lanes[other]!.parts.at(-1)!.group.maxTimeMs >= group.minTimeMs)
    let lane = own[lastBusy + 1]
    if (lane === undefined) {
      lane = lanes.push({ target, parts: [], rowCount: 0 }) - 1
      own.push(lane)
    }
    const { parts, rowCount } = lanes[lane]!
    const part = parts.push({ parent, group, firstRow: rowCount }) - 1
    lanes[lane]!.rowCount += group.rowCount
    return { lane, part }
  })
  return { lanes, places }
}

/** First rows of the columns that a lane is cut into, and the end. */
export function segmentsOf({ rowCount }: Lane): number[] {
  const count = Math.max(1, Math.ceil(rowCount / SEGMENT_ROWS))
  return Array.from({ length: count + 1 }, (_, i) => Math.round((i * rowCount) / count))
}
