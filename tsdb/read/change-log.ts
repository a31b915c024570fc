import { reachOf } from './group-reach.ts'
import type { GroupSnapshot, HeadSnapshot } from './head-snapshot.ts'

/** What a group held when it was last looked at. */
interface Seen {
  readonly id: number
  readonly minMs: number
  readonly newestMs: number
  readonly rows: number
}

const CHANGES_MAX = 4096

/**
 * Tells from one snapshot of the store to the next up to which time all samples are still what they were. Rows of a group,
 * late ones too, only ever get newer; whatever else happens (blocks, deletions, retention, rows that vanish) counts as a
 * change of everything that may be touched.
 */
export class ChangeLog {
  #seen: readonly Seen[] = []
  #blockList: string | undefined
  #version = 0
  /** Versions at which something changed, and the time up to which nothing did: both ascending. */
  #versions: number[] = []
  #untilMs: number[] = []
  /** Of versions below this nothing is known any more. */
  #floor = 0

  /** @returns the number of the state that the snapshot shows; equal for equal states */
  note({ groups, blockList }: HeadSnapshot): number {
    const seen = groups.map(seenOf)
    const unchangedMs = blockList === this.#blockList ? unchangedUpTo(this.#seen, seen) : Number.NEGATIVE_INFINITY
    this.#seen = seen
    this.#blockList = blockList
    if (unchangedMs !== Number.POSITIVE_INFINITY) this.#push(unchangedMs)
    return this.#version
  }

  /** Samples up to this time (inclusive) were the same in that state; +∞ when all were, −∞ when that is not known. */
  unchangedSince(version: number): number {
    if (version < this.#floor) return Number.NEGATIVE_INFINITY
    let low = 0
    let high = this.#versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#versions[middle]! <= version) low = middle + 1
      else high = middle
    }
    return this.#untilMs[low] ?? Number.POSITIVE_INFINITY
  }

  /** A later change that reaches further back makes earlier ones irrelevant. */
  #push(untilMs: number): void {
    while (this.#untilMs.length > 0 && this.#untilMs.at(-1)! >= untilMs) {
      this.#untilMs.pop()
      this.#versions.pop()
    }
    this.#versions.push(++this.#version)
    this.#untilMs.push(untilMs)
    if (this.#versions.length <= CHANGES_MAX) return
    const dropped = CHANGES_MAX / 2
    this.#floor = this.#versions[dropped - 1]!
    this.#versions = this.#versions.slice(dropped)
    this.#untilMs = this.#untilMs.slice(dropped)
  }
}

function seenOf(group: GroupSnapshot): Seen {
  const { minTimeMs, maxTimeMs } = reachOf(group)
  let rows = group.openRows
  for (const piece of group.pending) rows += piece.rowCount
  for (const piece of group.chunks) rows += piece.rowCount
  return { id: group.id, minMs: minTimeMs, newestMs: maxTimeMs, rows }
}

/** Groups keep their order; a group that is new takes the place of one that is gone, or comes last. */
function unchangedUpTo(before: readonly Seen[], after: readonly Seen[]): number {
  let untilMs = Number.POSITIVE_INFINITY
  const byId = sameOrder(before, after) ? undefined : new Map(before.map((seen) => [seen.id, seen]))
  let known = 0
  for (let i = 0; i < after.length; i++) {
    const now = after[i]!
    const was = byId === undefined ? before[i] : byId.get(now.id)
    if (was === undefined) {
      untilMs = Math.min(untilMs, now.minMs - 1)
      continue
    }
    known++
    // A chunk that went may have gone for good: nothing from its start on is sure.
    if (now.minMs !== was.minMs || now.rows < was.rows) untilMs = Math.min(untilMs, was.minMs - 1, now.minMs - 1)
    else if (now.newestMs !== was.newestMs) untilMs = Math.min(untilMs, was.newestMs)
    else if (now.rows !== was.rows) untilMs = Math.min(untilMs, was.minMs - 1)
  }
  if (known === before.length) return untilMs
  const left = new Set(after.map(({ id }) => id))
  for (const { id, minMs } of before) if (!left.has(id)) untilMs = Math.min(untilMs, minMs - 1)
  return untilMs
}

function sameOrder(before: readonly Seen[], after: readonly Seen[]): boolean {
  if (before.length > after.length) return false
  for (let i = 0; i < before.length; i++) if (before[i]!.id !== after[i]!.id) return false
  return true
}
