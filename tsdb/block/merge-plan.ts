import type { BlockMeta } from './meta.ts'

const FACTOR = 3

/**
 * Which blocks are to be merged next, oldest first: those that overlap; else those that fill, or will never fill, a range of
 * 3, 9, 27 … windows. The newest block is left alone. `undefined` when nothing is due.
 *
 * @param metas by `minTime`
 * @param rangeMaxMs no merged block gets longer
 */
export function planMerge(
  metas: readonly BlockMeta[],
  { windowMs, rangeMaxMs }: { windowMs: number; rangeMaxMs: number },
): readonly BlockMeta[] | undefined {
  const overlapping = firstOverlap(metas)
  if (overlapping !== undefined) return overlapping
  const newest = metas.at(-1)
  if (newest === undefined) return undefined
  const candidates = metas.slice(0, -1)
  for (let rangeMs = windowMs * FACTOR; rangeMs <= rangeMaxMs; rangeMs *= FACTOR) {
    for (const group of byRange(candidates, rangeMs)) {
      const endMs = Math.max(...group.map(({ maxTime }) => maxTime))
      const isFull = endMs - group[0]!.minTime === rangeMs || endMs <= Math.floor(newest.minTime / rangeMs) * rangeMs
      if (group.length > 1 && isFull) return group
    }
  }
  return undefined
}

function firstOverlap(metas: readonly BlockMeta[]): readonly BlockMeta[] | undefined {
  for (let from = 0; from < metas.length; from++) {
    let to = from + 1
    let endMs = metas[from]!.maxTime
    while (to < metas.length && metas[to]!.minTime < endMs) endMs = Math.max(endMs, metas[to++]!.maxTime)
    if (to - from > 1) return metas.slice(from, to)
  }
  return undefined
}

/** Blocks by the aligned range they lie in; those that lie in none are left out. */
function byRange(metas: readonly BlockMeta[], rangeMs: number): BlockMeta[][] {
  const groups = new Map<number, BlockMeta[]>()
  for (const meta of metas) {
    const start = Math.floor(meta.minTime / rangeMs) * rangeMs
    if (meta.maxTime > start + rangeMs) continue
    const group = groups.get(start)
    if (group) group.push(meta)
    else groups.set(start, [meta])
  }
  return [...groups.values()]
}
