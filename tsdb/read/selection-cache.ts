import type { Matcher } from '../../model/index.ts'
import { matchersName } from './matchers-name.ts'

/** Series of one template that a query selects: positions and their label sets, no label set twice. */
export interface Selection {
  readonly positions: Uint32Array
  readonly overlays: Uint32Array
}

/** Where in a snapshot series are selected: the index of the group, and which of its series. */
export interface Place {
  readonly group: number
  readonly selection: Selection
}

/** What one list of matchers selects, by template and by what holds for the target. */
interface MatcherSelections {
  readonly byKey: Map<string, readonly Selection[]>
  entries: number
  /** In all groups of the layout with that number. */
  layout: number
  places: readonly Place[]
}

// Eight bytes each, and something for lists that select nothing.
const ENTRIES_MAX = 1 << 19
const ENTRIES_PER_LIST = 16
const ENTRIES_PER_PLACE = 4

/**
 * Which positions of a template match: templates and the reader's label sets never change, so what was found stays right.
 * Selectors that were used longest ago go first.
 */
export class SelectionCache {
  readonly #byMatchers = new Map<string, MatcherSelections>()
  #entries = 0
  #layout = 0
  #layoutWords = new Float64Array(0)

  /** A number for the groups of a snapshot, by what selectors see of them; the same as long as none comes, goes or changes. */
  layoutOf(groups: readonly { readonly templateId: number; readonly labelSet: number }[]): number {
    const words = this.#layoutWords
    let isSame = words.length === 2 * groups.length
    for (let i = 0; i < groups.length && isSame; i++) {
      isSame = words[2 * i] === groups[i]!.templateId && words[2 * i + 1] === groups[i]!.labelSet
    }
    if (isSame) return this.#layout
    this.#layoutWords = Float64Array.from({ length: 2 * groups.length }, (_, i) => {
      const group = groups[i >>> 1]!
      return (i & 1) === 0 ? group.templateId : group.labelSet
    })
    return ++this.#layout
  }

  /** The places of a layout's groups that the matchers select, with `find` to find what is not known. */
  places(matchers: readonly Matcher[], layout: number, find: (select: Select) => readonly Place[]): readonly Place[] {
    const name = matchersName(matchers)
    const own: MatcherSelections = this.#byMatchers.get(name) ?? {
      byKey: new Map(),
      entries: 0,
      layout: -1,
      places: [],
    }
    this.#byMatchers.delete(name)
    this.#byMatchers.set(name, own)
    if (own.layout === layout) return own.places
    const found = find((key, select) => {
      let selections = own.byKey.get(key)
      if (selections === undefined) {
        own.byKey.set(key, (selections = select()))
        const positions = selections.reduce((sum, selection) => sum + selection.positions.length, 0)
        this.#count(name, own, ENTRIES_PER_LIST + positions)
      }
      return selections
    })
    this.#count(name, own, ENTRIES_PER_PLACE * (found.length - own.places.length))
    own.layout = layout
    own.places = found
    return found
  }

  #count(name: string, own: MatcherSelections, entries: number): void {
    // It may have been dropped by what it found itself.
    if (this.#byMatchers.get(name) !== own) return
    own.entries += entries
    this.#entries += entries
    for (const [oldest, { entries: freed }] of this.#byMatchers) {
      if (this.#entries <= ENTRIES_MAX) return
      this.#byMatchers.delete(oldest)
      this.#entries -= freed
    }
  }
}

/** Gives the selections of a key; the function finds those that are not known. */
export type Select = (key: string, select: () => readonly Selection[]) => readonly Selection[]
