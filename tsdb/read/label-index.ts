import { type Labels, type Matcher, compareStrings, matcherText, matches } from '../../model/index.ts'
import { tableEntry, rootWord } from '../memory/shared-table.ts'
import { LOST_LABEL_SET, RECORD_HEADER_BYTES, Root } from '../memory/layout.ts'
import type { MemoryViews } from '../memory/views.ts'

/** How a label set stands to a matcher: it does not name the label, it names it with a match, or without one. */
export const MatchState = { UNNAMED: 0, MATCH: 1, NO_MATCH: 2 } as const

const STATES_BYTES_MAX = 32 << 20
const NOT_MAPPED = 0xffff_ffff
const VALUES_PER_CHECK = 16
/** Matches nothing; stands for positions whose labels were lost. */
export const LOST = 0

interface MatcherStates {
  /** A `MatchState` per label set. */
  states: Uint8Array<ArrayBuffer>
  resolved: number
  readonly matchesEmpty: boolean
}

/**
 * A reader's own numbering of strings and label sets, over the head and all blocks: equal content, equal number. Matchers
 * are resolved on it once and only extended by what is new.
 */
export class LabelIndex {
  readonly #texts: string[] = ['']
  readonly #symbolIds = new Map<string, number>([['', 0]])
  readonly #decoder = new TextDecoder()
  readonly #matcherStates = new Map<string, MatcherStates>()
  readonly #valueMatches = new Map<string, Uint8Array<ArrayBuffer>>()
  /** Pairs of label set i: [offsets[i], offsets[i + 1]) of #pairs. */
  #pairs = new Uint32Array(1024)
  #offsets = new Uint32Array(256)
  #hashes = new Uint32Array(256)
  #slots = new Uint32Array(1024)
  #count = 0
  #headSymbols = new Uint32Array(256).fill(NOT_MAPPED)
  #headLabelSets = new Uint32Array(256).fill(NOT_MAPPED)
  readonly #headPairs: number[] = []
  #borrowed = new Int32Array(0)
  readonly #check: () => void
  #unchecked = 0

  /** @param check called now and then while many values are looked at; throws to end that, which can be taken up again later */
  constructor(check: () => void = () => {}) {
    this.#check = check
    // Number 0, LOST, is given to a pair that no real label set has.
    this.labelSet([0, 0])
  }

  get labelSetCount(): number {
    return this.#count
  }

  text(symbol: number): string {
    return this.#texts[symbol]!
  }

  symbol(text: string): number {
    const known = this.#symbolIds.get(text)
    if (known !== undefined) return known
    const id = this.#texts.push(text) - 1
    this.#symbolIds.set(text, id)
    return id
  }

  /** A place for a number per label set, all -1; whoever borrows it leaves it so, before anybody else asks. */
  borrowSlots(): Int32Array {
    if (this.#borrowed.length < this.#count) this.#borrowed = new Int32Array(2 * this.#count).fill(-1)
    return this.#borrowed
  }

  /** Interns alternating name and value symbols. */
  labelSet(pairs: ArrayLike<number>): number {
    let hash = pairs.length
    for (let i = 0; i < pairs.length; i++) hash = mix(hash, pairs[i]!)
    let slot = hash & (this.#slots.length - 1)
    for (;;) {
      const entry = this.#slots[slot]!
      if (entry === 0) break
      if (this.#hashes[entry - 1] === hash && this.#hasPairs(entry - 1, pairs)) return entry - 1
      slot = (slot + 1) & (this.#slots.length - 1)
    }
    return this.#addLabelSet(pairs, hash, slot)
  }

  /** Start and end of a label set's pairs in `pairWords`. */
  pairsFrom(labelSet: number): number {
    return this.#offsets[labelSet]!
  }

  pairsTo(labelSet: number): number {
    return this.#offsets[labelSet + 1]!
  }

  get pairWords(): Uint32Array {
    return this.#pairs
  }

  /** The reader's number of a label set of the head that is in use there; a new one is read in. */
  fromHead(views: MemoryViews, headLabelSet: number): number {
    if (headLabelSet === LOST_LABEL_SET) return LOST
    if (headLabelSet >= this.#headLabelSets.length) this.#headLabelSets = grownMap(this.#headLabelSets, headLabelSet)
    const known = this.#headLabelSets[headLabelSet]!
    return known === NOT_MAPPED ? this.#readHead(views, headLabelSet) : known
  }

  /** The symbol of a string of the head. */
  headSymbol(views: MemoryViews, id: number): number {
    if (id >= this.#headSymbols.length) this.#headSymbols = grownMap(this.#headSymbols, id)
    const known = this.#headSymbols[id]!
    if (known !== NOT_MAPPED) return known
    const record = tableEntry(views, rootWord(views, Root.SYMBOL_DIRECTORY), id)
    const start = record + RECORD_HEADER_BYTES
    const symbol = this.symbol(this.#decoder.decode(views.u8.slice(start, start + views.u32[record >>> 2]!)))
    this.#headSymbols[id] = symbol
    return symbol
  }

  /** States of all label sets under a matcher, and whether it matches where the label is missing. */
  resolve(matcher: Matcher): MatcherStates {
    const key = matcherText(matcher)
    let entry = this.#matcherStates.get(key)
    if (entry === undefined) {
      entry = { states: new Uint8Array(this.#count), resolved: 0, matchesEmpty: matches(matcher, '') }
      this.#evict()
    } else this.#matcherStates.delete(key)
    this.#matcherStates.set(key, entry)
    this.#extend(entry, matcher, key)
    return entry
  }

  /** The label set of a target's series as it comes out. */
  effectiveLabelSet(target: number, overlay: number): number {
    const labels = this.effectiveLabels(target, overlay)
    return this.labelSet(labels.map((text) => this.symbol(text)))
  }

  /** The labels of a target's series: its own laid under the series'; an empty value takes a label away. */
  effectiveLabels(target: number, overlay: number): Labels {
    const pairs = this.#pairs
    const labels: string[] = []
    let t = this.pairsFrom(target)
    let o = this.pairsFrom(overlay)
    const tEnd = this.pairsTo(target)
    const oEnd = this.pairsTo(overlay)
    while (t < tEnd || o < oEnd) {
      const order = t >= tEnd ? 1 : o >= oEnd ? -1 : this.#compareSymbols(pairs[t]!, pairs[o]!)
      const at = order < 0 ? t : o
      if (pairs[at + 1] !== 0) labels.push(this.#texts[pairs[at]!]!, this.#texts[pairs[at + 1]!]!)
      if (order <= 0) t += 2
      if (order >= 0) o += 2
    }
    return labels
  }

  #compareSymbols(a: number, b: number): number {
    return a === b ? 0 : compareStrings(this.#texts[a]!, this.#texts[b]!)
  }

  #extend(entry: MatcherStates, matcher: Matcher, key: string): void {
    if (entry.resolved === this.#count) return
    if (entry.states.length < this.#count) {
      const grown = new Uint8Array(Math.ceil(this.#count * 1.25))
      grown.set(entry.states)
      entry.states = grown
    }
    const name = this.symbol(matcher.name)
    const known = this.#knownValues(key)
    const { states } = entry
    const pairs = this.#pairs
    for (let set = entry.resolved; set < this.#count; set++) {
      let state: number = MatchState.UNNAMED
      for (let at = this.#offsets[set]!; at < this.#offsets[set + 1]!; at += 2) {
        if (pairs[at] !== name) continue
        const value = pairs[at + 1]!
        if (known[value] === 0) {
          // A regular expression may take milliseconds for one value.
          if (this.#unchecked++ % VALUES_PER_CHECK === 0) this.#check()
          known[value] = matches(matcher, this.#texts[value]!) ? MatchState.MATCH : MatchState.NO_MATCH
        }
        state = known[value]!
        break
      }
      states[set] = state
    }
    entry.resolved = this.#count
  }

  /** Outcome per value symbol, 0 where it was not needed yet. */
  #knownValues(key: string): Uint8Array<ArrayBuffer> {
    const known = this.#valueMatches.get(key)
    if (known !== undefined && known.length >= this.#texts.length) return known
    const grown = new Uint8Array(Math.ceil(this.#texts.length * 1.25))
    if (known !== undefined) grown.set(known)
    this.#valueMatches.set(key, grown)
    return grown
  }

  #evict(): void {
    const bytesEach = Math.max(this.#count + this.#texts.length, 1024)
    for (const key of this.#matcherStates.keys()) {
      if ((this.#matcherStates.size + 1) * bytesEach <= STATES_BYTES_MAX) return
      this.#matcherStates.delete(key)
      this.#valueMatches.delete(key)
    }
  }

  #readHead(views: MemoryViews, headLabelSet: number): number {
    views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
    const record = tableEntry(views, rootWord(views, Root.LABEL_SET_DIRECTORY), headLabelSet) >>> 2
    const pairs = this.#headPairs
    pairs.length = 2 * views.u32[record]!
    for (let i = 0; i < pairs.length; i++) pairs[i] = this.headSymbol(views, views.u32[record + 2 + i]!)
    const labelSet = this.labelSet(pairs)
    this.#headLabelSets[headLabelSet] = labelSet
    return labelSet
  }

  #hasPairs(labelSet: number, pairs: ArrayLike<number>): boolean {
    const from = this.#offsets[labelSet]!
    if (this.#offsets[labelSet + 1]! - from !== pairs.length) return false
    for (let i = 0; i < pairs.length; i++) if (this.#pairs[from + i] !== pairs[i]) return false
    return true
  }

  #addLabelSet(pairs: ArrayLike<number>, hash: number, slot: number): number {
    const id = this.#count++
    if (id + 2 > this.#offsets.length) {
      this.#offsets = doubled(this.#offsets)
      this.#hashes = doubled(this.#hashes)
    }
    const from = this.#offsets[id]!
    while (from + pairs.length > this.#pairs.length) this.#pairs = doubled(this.#pairs)
    this.#pairs.set(pairs, from)
    this.#offsets[id + 1] = from + pairs.length
    this.#hashes[id] = hash
    this.#slots[slot] = id + 1
    if (this.#count * 2 > this.#slots.length) this.#growSlots()
    return id
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    for (let id = 0; id < this.#count; id++) {
      let slot = this.#hashes[id]! & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = id + 1
    }
    this.#slots = slots
  }
}

/** `index` becomes valid; what is new is not mapped. */
function grownMap(map: Uint32Array<ArrayBuffer>, index: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(Math.max(index + 1, map.length * 2)).fill(NOT_MAPPED)
  grown.set(map)
  return grown
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2)
  grown.set(array)
  return grown
}

export function mix(hash: number, value: number): number {
  const mixed = Math.imul((Math.imul(value, 0x9e3779b1) ^ hash) >>> 0, 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
