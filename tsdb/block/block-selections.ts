import type { Matcher } from '../../model/index.ts'
import { matchersName } from '../read/matchers-name.ts'
import type { SummaryKind } from './summary-kinds.ts'

/** Series of one group of a block that a query selects. */
export interface BlockSelection {
  readonly group: number
  /** Label sets, by the reader's numbers; groups that select the same have the same object. */
  readonly overlays: Uint32Array
  /** Numbers of the series within the group; ascending. */
  readonly ordinals: Uint32Array
}

const ENTRIES_PER_LIST = 16
const ENTRIES_MIN = 4096

/** What lists of matchers select in one block, which never changes. Lists that were used longest ago go first. */
export class BlockSelections {
  readonly #entriesMax: number
  readonly #found = new Map<string, { readonly selections: readonly BlockSelection[]; readonly entries: number }>()
  #entries = 0

  /** @param seriesCount of the block: what is kept stays in proportion to it */
  constructor(seriesCount: number) {
    this.#entriesMax = ENTRIES_MIN + 2 * seriesCount
  }

  /** About what it takes in memory. */
  get bytes(): number {
    return 8 * this.#entries
  }

  of(
    matchers: readonly Matcher[],
    kind: SummaryKind | undefined,
    find: () => readonly BlockSelection[],
  ): readonly BlockSelection[] {
    const key = `${kind ?? ''}:${matchersName(matchers)}`
    const known = this.#found.get(key)
    if (known !== undefined) {
      this.#found.delete(key)
      this.#found.set(key, known)
      return known.selections
    }
    const selections = shareOverlays(find())
    const entries = selections.reduce((sum, { ordinals }) => sum + ENTRIES_PER_LIST + ordinals.length, ENTRIES_PER_LIST)
    if (entries > this.#entriesMax) return selections
    this.#found.set(key, { selections, entries })
    this.#entries += entries
    for (const [oldest, { entries: freed }] of this.#found) {
      if (this.#entries <= this.#entriesMax) break
      this.#found.delete(oldest)
      this.#entries -= freed
    }
    return selections
  }
}

/** Groups of one layout select the very same label sets: what is worked out for one list of them is good for all. */
function shareOverlays(selections: readonly BlockSelection[]): readonly BlockSelection[] {
  let last: Uint32Array | undefined
  return selections.map((selection) => {
    const overlays = last !== undefined && isEqual(selection.overlays, last) ? last : selection.overlays
    last = overlays
    return { ...selection, overlays }
  })
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
