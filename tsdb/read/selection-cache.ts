import { type Matcher, matcherText } from '../../model/index.ts'

/** Series of one template that a query selects: positions and their label sets, no label set twice. */
export interface Selection {
  readonly positions: Uint32Array
  readonly overlays: Uint32Array
}

/** What one list of matchers selects, by template and by what holds for the target. */
interface MatcherSelections {
  readonly byKey: Map<string, readonly Selection[]>
  entries: number
}

// Eight bytes each, and something for lists that select nothing.
const ENTRIES_MAX = 1 << 19
const ENTRIES_PER_LIST = 16

/**
 * Which positions of a template match: templates and the reader's label sets never change, so what was found stays right.
 * Selectors that were used longest ago go first.
 */
export class SelectionCache {
  readonly #byMatchers = new Map<string, MatcherSelections>()
  #entries = 0

  /** What is known of these matchers, with `select` to find and keep what is not. */
  of(matchers: readonly Matcher[]): (key: string, select: () => readonly Selection[]) => readonly Selection[] {
    const name = matchers.map(matcherText).join('\u00ff')
    const own = this.#byMatchers.get(name) ?? { byKey: new Map<string, readonly Selection[]>(), entries: 0 }
    this.#byMatchers.delete(name)
    this.#byMatchers.set(name, own)
    return (key, select) => {
      const known = own.byKey.get(key)
      if (known !== undefined) return known
      const found = select()
      own.byKey.set(key, found)
      this.#count(name, own, found)
      return found
    }
  }

  #count(name: string, own: MatcherSelections, found: readonly Selection[]): void {
    // It may have been dropped by what it found itself.
    if (this.#byMatchers.get(name) !== own) return
    const entries = ENTRIES_PER_LIST + found.reduce((sum, { positions }) => sum + positions.length, 0)
    own.entries += entries
    this.#entries += entries
    for (const [oldest, { entries: freed }] of this.#byMatchers) {
      if (this.#entries <= ENTRIES_MAX) return
      this.#byMatchers.delete(oldest)
      this.#entries -= freed
    }
  }
}
