import { labelsKey, type Matcher } from '../../model/index.ts'
import { type LabelIndex, LOST, MatchState, mix } from './label-index.ts'
import type { GroupSource } from './piece.ts'

/** Matchers resolved over the reader's label sets; answers for targets and for the series laid over them. */
export class ResolvedMatchers {
  readonly #entries: { states: Uint8Array; matchesEmpty: boolean }[]

  constructor(index: LabelIndex, matchers: readonly Matcher[]) {
    this.#entries = matchers.map((matcher) => index.resolve(matcher))
  }

  /** Character i is '1' where matcher i holds for a series that does not name its label itself. */
  maskOf(target: number): string {
    let mask = ''
    for (const { states, matchesEmpty } of this.#entries) {
      const state = states[target]!
      mask += state === MatchState.MATCH || (state === MatchState.UNNAMED && matchesEmpty) ? '1' : '0'
    }
    return mask
  }

  /** Indexes of the label sets that match, laid over a target with this mask: a label they name wins. */
  matching(mask: string, overlays: Uint32Array): number[] {
    const entries = this.#entries.map(({ states }, i) => ({ states, holds: mask[i] === '1' }))
    const found: number[] = []
    for (let i = 0; i < overlays.length; i++) {
      const overlay = overlays[i]!
      let isMatch = overlay !== LOST
      for (let m = 0; m < entries.length && isMatch; m++) {
        const { states, holds } = entries[m]!
        const state = states[overlay]!
        isMatch = state === MatchState.MATCH || (state === MatchState.UNNAMED && holds)
      }
      if (isMatch) found.push(i)
    }
    return found
  }
}

/** Series of one target: each in at least one of the sources. A target may come in several parts that share no series. */
export interface TargetSeries {
  readonly target: number
  readonly sources: readonly GroupSource[]
  /** Label sets of the series. */
  readonly overlays: Uint32Array
  /** Per source, the index within it of each of `overlays`, or -1. */
  readonly indexes: readonly Int32Array[]
}

/** Brings the sources of each target together as far as they share series, and numbers their series. */
export function groupByTarget(sources: readonly GroupSource[], index: LabelIndex): TargetSeries[] {
  const byTarget = new Map<number, GroupSource[]>()
  for (const source of sources) {
    const list = byTarget.get(source.target)
    if (list) list.push(source)
    else byTarget.set(source.target, [source])
  }
  const targets: TargetSeries[] = []
  for (const [target, own] of byTarget) {
    for (const { members, overlays, indexes } of numbersOf(own, index)) {
      targets.push({ target, sources: members.map((s) => own[s]!), overlays, indexes })
    }
  }
  return targets
}

/** Sources that share series, by their place in a list, and their series numbered. */
type Part = Pick<TargetSeries, 'overlays' | 'indexes'> & { readonly members: readonly number[] }

interface NumberedList {
  readonly lists: readonly Uint32Array[]
  readonly parts: readonly Part[]
}

/** By the label sets of the first source. Lists of label sets never change, and targets of one template share them. */
const numbered = new WeakMap<Uint32Array, NumberedList[]>()
const NUMBERED_MAX = 8

/** Of single sources, by their label sets: what is kept of their columns knows them by `indexes`. */
const alone = new WeakMap<Uint32Array, readonly Part[]>()

function aloneOf(overlays: Uint32Array): readonly Part[] {
  let parts = alone.get(overlays)
  if (parts === undefined)
    alone.set(overlays, (parts = [{ members: [0], overlays, indexes: [identity(overlays.length)] }]))
  return parts
}

function numbersOf(sources: readonly GroupSource[], index: LabelIndex): readonly Part[] {
  const first = sources[0]!.overlays
  if (sources.length === 1) return aloneOf(first)
  const known = numbered.get(first) ?? []
  const isSame = ({ lists }: NumberedList): boolean =>
    lists.length === sources.length && lists.every((list, s) => list === sources[s]!.overlays)
  let found = known.find(isSame)
  if (found === undefined) {
    const slotOf = index.borrowSlots()
    const lists = sources.map(({ overlays }) => overlays)
    const parts = partsOf(lists, slotOf).map((members) => numberSeries(members, lists, slotOf))
    found = { lists, parts }
    numbered.set(first, [found, ...known.slice(0, NUMBERED_MAX - 1)])
  }
  return found.parts
}

/** Streams of arbitrary series have many groups of one target, of which hardly any share series: each is looked at alone. */
function partsOf(lists: readonly Uint32Array[], slotOf: Int32Array): number[][] {
  const partOf = lists.map((_, s) => s)
  const firstOf = (s: number): number => {
    let first = s
    while (partOf[first] !== first) first = partOf[first]!
    partOf[s] = first
    return first
  }
  for (const [s, overlays] of lists.entries()) {
    for (const overlay of overlays) {
      const other = slotOf[overlay]!
      if (other < 0) slotOf[overlay] = s
      else if (firstOf(other) !== firstOf(s))
        partOf[Math.max(firstOf(other), firstOf(s))] = Math.min(firstOf(other), firstOf(s))
    }
  }
  const parts: number[][] = lists.map(() => [])
  for (const [s, overlays] of lists.entries()) {
    for (const overlay of overlays) slotOf[overlay] = -1
    parts[firstOf(s)]!.push(s)
  }
  return parts.filter((part) => part.length > 0)
}

function numberSeries(members: readonly number[], lists: readonly Uint32Array[], slotOf: Int32Array): Part {
  if (members.length === 1) {
    const overlays = lists[members[0]!]!
    return { members, overlays, indexes: [identity(overlays.length)] }
  }
  const found: number[] = []
  for (const s of members) {
    for (const overlay of lists[s]!) {
      if (slotOf[overlay]! >= 0) continue
      slotOf[overlay] = found.length
      found.push(overlay)
    }
  }
  const indexes = members.map((s) => {
    const indexOf = new Int32Array(found.length).fill(-1)
    const overlays = lists[s]!
    for (let i = 0; i < overlays.length; i++) indexOf[slotOf[overlays[i]!]!] = i
    return indexOf
  })
  for (const overlay of found) slotOf[overlay] = -1
  return { members, overlays: Uint32Array.from(found), indexes }
}

let numbers = new Int32Array(0)

/** 0, 1, 2…; shared, not to be written. */
function identity(length: number): Int32Array {
  if (numbers.length < length) numbers = Int32Array.from({ length: 2 * length }, (_, i) => i)
  return numbers.subarray(0, length)
}

/** A series by target and number in `overlays`. */
export interface SeriesAddress {
  readonly targetIndex: number
  readonly seriesIndex: number
}

/**
 * Finds series of different targets that have the same labels in the end. They are rare, but each must come out once.
 *
 * @returns sets of at least two addresses
 */
export function findTwins(targets: readonly TargetSeries[], index: LabelIndex): SeriesAddress[][] {
  const twins = new Map<string, SeriesAddress[]>()
  if (targets.length < 2 || cannotHaveTwins(targets, index)) return []
  const hashes = targets.map((target) => effectiveHashes(target, index))
  const total = hashes.reduce((sum, list) => sum + list.length, 0)
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * total + 2)))
  const keys = new Float64Array(total)
  const addresses: SeriesAddress[] = []
  let count = 0
  for (const [targetIndex, list] of hashes.entries()) {
    for (let seriesIndex = 0; seriesIndex < list.length; seriesIndex++) {
      const hash = list[seriesIndex]!
      let slot = (hash % slots.length) | 0
      while (slots[slot] !== 0 && keys[slots[slot]! - 1] !== hash) slot = (slot + 1) & (slots.length - 1)
      if (slots[slot] === 0) {
        keys[count] = hash
        slots[slot] = ++count
        addresses.push({ targetIndex, seriesIndex })
        continue
      }
      const first = addresses[slots[slot]! - 1]!
      const address = { targetIndex, seriesIndex }
      const key = labelsKeyOf(targets, first, index)
      // Equal hashes of different labels would be a coincidence of 2^-53; then both are simply left as they are.
      if (key !== labelsKeyOf(targets, address, index)) continue
      const known = twins.get(key)
      if (known) known.push(address)
      else twins.set(key, [first, address])
    }
  }
  return [...twins.values()]
}

/** Targets that name the same labels, of which no series names one, differ in them, and so do their series. */
function cannotHaveTwins(targets: readonly TargetSeries[], index: LabelIndex): boolean {
  const first = targets[0]
  if (first === undefined) return true
  // Parts of one target share no series.
  if (targets.every(({ target }) => target === first.target)) return true
  const pairs = index.pairWords
  const names: number[] = []
  for (let at = index.pairsFrom(first.target); at < index.pairsTo(first.target); at += 2) names.push(pairs[at]!)
  // Targets of one template most often select the very same label sets.
  const checked = new Set<Uint32Array>()
  for (const { target, overlays } of targets) {
    const from = index.pairsFrom(target)
    if (index.pairsTo(target) - from !== 2 * names.length) return false
    for (let i = 0; i < names.length; i++) if (pairs[from + 2 * i] !== names[i]) return false
    if (checked.has(overlays)) continue
    checked.add(overlays)
    for (const overlay of overlays) {
      for (let at = index.pairsFrom(overlay); at < index.pairsTo(overlay); at += 2) {
        if (pairs[at + 1] === 0 || names.includes(pairs[at]!)) return false
      }
    }
  }
  return true
}

function labelsKeyOf(targets: readonly TargetSeries[], address: SeriesAddress, index: LabelIndex): string {
  const { target, overlays } = targets[address.targetIndex]!
  return labelsKey(index.effectiveLabels(target, overlays[address.seriesIndex]!))
}

/** A 53-bit hash per series of its labels as they come out, whatever part of them the target holds. */
function effectiveHashes({ target, overlays }: TargetSeries, index: LabelIndex): Float64Array {
  const pairs = index.pairWords
  const hashes = new Float64Array(overlays.length)
  const targetFrom = index.pairsFrom(target)
  const targetTo = index.pairsTo(target)
  for (const [i, overlay] of overlays.entries()) {
    let low = 0
    let high = 0
    const from = index.pairsFrom(overlay)
    const to = index.pairsTo(overlay)
    for (let at = from; at < to; at += 2) {
      if (pairs[at + 1] === 0) continue
      low = (low + mix(pairs[at]!, pairs[at + 1]!)) | 0
      high = (high + mix(pairs[at + 1]!, ~pairs[at]!)) | 0
    }
    for (let t = targetFrom; t < targetTo; t += 2) {
      let isNamed = false
      for (let at = from; at < to && !isNamed; at += 2) isNamed = pairs[at] === pairs[t]
      if (isNamed) continue
      low = (low + mix(pairs[t]!, pairs[t + 1]!)) | 0
      high = (high + mix(pairs[t + 1]!, ~pairs[t]!)) | 0
    }
    hashes[i] = (high & 0x1f_ffff) * 2 ** 32 + (low >>> 0)
  }
  return hashes
}
