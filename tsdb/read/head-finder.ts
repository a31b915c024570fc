import type { Matcher, TimeRange } from '../../model/index.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { GroupSnapshot, HeadSnapshot } from './head-snapshot.ts'
import type { ColumnCache } from './column-cache.ts'
import { HeadSource } from './head-source.ts'
import { reachOf } from './group-reach.ts'
import { type LabelIndex, LOST } from './label-index.ts'
import type { GroupSource } from './piece.ts'
import type { SourceFinder } from './querier.ts'
import { ResolvedMatchers } from './selection.ts'
import type { Place, Select, Selection, SelectionCache } from './selection-cache.ts'

const NONE = new Uint32Array(0)

/** Templates of the head in the reader's numbers; kept over queries, as templates never change. */
export class TemplateCache {
  readonly #views: MemoryViews
  readonly #index: LabelIndex
  #templates = new Map<number, Uint32Array>()

  constructor(views: MemoryViews, index: LabelIndex) {
    this.#views = views
    this.#index = index
  }

  /** Label sets by position. A group that has no position yet has no template, whatever its record says. */
  overlaysOf(group: GroupSnapshot): Uint32Array {
    if (group.positionCount === 0) return NONE
    let overlays = this.#templates.get(group.templateId)
    if (overlays === undefined) {
      const at = group.template >>> 2
      overlays = new Uint32Array(group.positionCount)
      for (let p = 0; p < overlays.length; p++) {
        const labelSet = this.#views.u32[at + p]!
        overlays[p] = labelSet === LOST_LABEL_SET ? LOST : this.#index.fromHead(this.#views, labelSet)
      }
      this.#templates.set(group.templateId, overlays)
    }
    return overlays
  }

  /** Forgets templates that no group of the snapshot has. */
  prune(snapshot: HeadSnapshot): void {
    if (this.#templates.size <= 2 * snapshot.groups.length + 16) return
    const used = new Set(snapshot.groups.map((group) => group.templateId))
    this.#templates = new Map([...this.#templates].filter(([id]) => used.has(id)))
  }
}

/** Finds series in a snapshot of the head: matchers are applied once per template and once per target. */
export class HeadFinder implements SourceFinder {
  readonly #views: MemoryViews
  readonly #index: LabelIndex
  readonly #templates: TemplateCache
  readonly #selections: SelectionCache
  readonly #cache: ColumnCache
  readonly #snapshot: HeadSnapshot
  readonly #layout: number

  constructor(
    views: MemoryViews,
    index: LabelIndex,
    caches: { readonly templates: TemplateCache; readonly selections: SelectionCache; readonly columns: ColumnCache },
    snapshot: HeadSnapshot,
  ) {
    this.#views = views
    this.#index = index
    this.#templates = caches.templates
    this.#selections = caches.selections
    this.#cache = caches.columns
    this.#snapshot = snapshot
    this.#layout = caches.selections.layoutOf(snapshot.groups)
  }

  find(matchers: readonly Matcher[], range: TimeRange, scratch: Scratch): GroupSource[] {
    const places = this.#selections.places(matchers, this.#layout, (select) => this.#places(matchers, select))
    const found: { group: GroupSnapshot; target: number; layer: Selection }[] = []
    let samples = 0
    for (const { group: index, selection: layer } of places) {
      const group = this.#snapshot.groups[index]!
      if (!overlaps(group, range)) continue
      found.push({ group, target: this.#index.fromHead(this.#views, group.labelSet), layer })
      samples += layer.positions.length * rowsIn(group, range)
    }
    const cache = this.#cache.isWorth(samples) ? this.#cache : undefined
    return found.map(
      ({ group, target, layer }) => new HeadSource(this.#views, scratch, cache, group, { target, ...layer }),
    )
  }

  /** In all groups, whatever their times. */
  #places(matchers: readonly Matcher[], select: Select): Place[] {
    // First everything gets its number, so that the matchers are resolved over all of them.
    const groups = this.#snapshot.groups.map((group) => ({
      templateId: group.templateId,
      target: this.#index.fromHead(this.#views, group.labelSet),
      all: this.#templates.overlaysOf(group),
    }))
    const resolved = new ResolvedMatchers(this.#index, matchers)
    const places: Place[] = []
    for (const [index, { templateId, target, all }] of groups.entries()) {
      if (all.length === 0) continue
      const mask = resolved.maskOf(target)
      const selections = select(`${templateId}:${mask}`, () => selectPositions(all, resolved.matching(mask, all)))
      for (const selection of selections) places.push({ group: index, selection })
    }
    return places
  }
}

/** Usually one selection; one more each time a label set stands at a further position of the same template. */
function selectPositions(all: Uint32Array, found: readonly number[]): Selection[] {
  const copies = new Map<number, number>()
  const layers: number[][] = []
  for (const position of found) {
    const overlay = all[position]!
    const copy = copies.get(overlay) ?? 0
    copies.set(overlay, copy + 1)
    if (copy === layers.length) layers.push([])
    layers[copy]!.push(position)
  }
  return layers.map((layer) => {
    const positions = Uint32Array.from(layer)
    return { positions, overlays: positions.map((position) => all[position]!) }
  })
}

/** Rows of all pieces that lie in the range at least in part. */
function rowsIn(group: GroupSnapshot, { minTimeMs, maxTimeMs }: TimeRange): number {
  let rows = group.openRows
  for (const piece of group.pending) rows += piece.rowCount
  for (const piece of group.chunks) {
    if (piece.maxTimeMs >= minTimeMs && piece.minTimeMs <= maxTimeMs) rows += piece.rowCount
  }
  return rows
}

function overlaps(group: GroupSnapshot, range: TimeRange): boolean {
  const { minTimeMs, maxTimeMs } = reachOf(group)
  return maxTimeMs >= range.minTimeMs && minTimeMs <= range.maxTimeMs
}
