import { compareLabels, labelsKey, textsKey } from '../model/index.ts'
import type { PushedLabels, PushedType } from './family.ts'
import { groupKeyOf } from './exposed-labels.ts'
import type { Group } from './group.ts'
import { readFamily, type StoredFamily } from './stored-family.ts'

/** Groups of the same label names; a series can only be theirs if it has those labels. */
interface Shape {
  readonly names: readonly string[]
  groupCount: number
}

/** A family name with the groups that have it. */
interface FamilyEntry {
  readonly name: string
  /** Of the last push. */
  help: string
  readonly types: Map<Group, PushedType>
}

/**
 * Finds groups by what they expose, so that a push is checked in the time of its own size. Keeps nothing per series: a series
 * that two groups expose names both in its labels, so the labels say which groups to look into.
 */
export class GroupIndex {
  readonly #byKey = new Map<string, Group>()
  /** In the order of what they expose. */
  readonly #sorted: Group[] = []
  readonly #shapes = new Map<string, Shape>()
  readonly #families = new Map<string, FamilyEntry>()

  get(key: string): Group | undefined {
    return this.#byKey.get(key)
  }

  get size(): number {
    return this.#byKey.size
  }

  get sorted(): readonly Group[] {
    return this.#sorted
  }

  familyNames(): IterableIterator<string> {
    return this.#families.keys()
  }

  add(group: Group): void {
    this.#byKey.set(group.key, group)
    this.#sorted.splice(this.#placeOf(group.exposed), 0, group)
    const names = namesOf(group.exposed)
    const shapeKey = textsKey(names)
    const shape = this.#shapes.get(shapeKey)
    if (shape === undefined) this.#shapes.set(shapeKey, { names, groupCount: 1 })
    else shape.groupCount++
  }

  /** Its families must be gone. */
  remove(group: Group): void {
    this.#byKey.delete(group.key)
    this.#sorted.splice(this.#placeOf(group.exposed), 1)
    const shapeKey = textsKey(namesOf(group.exposed))
    const shape = this.#shapes.get(shapeKey)
    if (shape !== undefined && --shape.groupCount === 0) this.#shapes.delete(shapeKey)
  }

  clear(): void {
    this.#byKey.clear()
    this.#sorted.length = 0
    this.#shapes.clear()
    this.#families.clear()
  }

  /** Strings of equal content that may be kept: a push's own are pieces of its body and would keep all of it in memory. */
  sharedText(name: string, help: string): { readonly name: string; readonly help: string } {
    let entry = this.#families.get(name)
    if (entry === undefined) entry = { name: copyOf(name), help: copyOf(help), types: new Map() }
    else if (entry.help !== help) entry.help = copyOf(help)
    return entry
  }

  setFamily(group: Group, { name, help, type }: StoredFamily): void {
    const entry = this.#families.get(name)
    if (entry === undefined) this.#families.set(name, { name, help, types: new Map([[group, type]]) })
    else entry.types.set(group, type)
  }

  dropFamily(group: Group, name: string): void {
    const types = this.#families.get(name)?.types
    types?.delete(group)
    if (types?.size === 0) this.#families.delete(name)
  }

  /** The type that some group gives the name; `skipped` does not count. */
  typeOf(name: string, skipped: Group | undefined): PushedType | undefined {
    for (const [group, type] of this.#families.get(name)?.types ?? []) if (group !== skipped) return type
    return undefined
  }

  /** Tells whether a group other than `pusher` exposes a series. Made for one push, with what it has looked up. */
  seriesFinder(pusher: Group | undefined): (name: string, labels: PushedLabels) => boolean {
    const looked = new Map<Group, Map<string, ReadonlySet<string>>>()
    const shapes = [...this.#shapes.values()]
    return (name, labels) =>
      shapes.some((shape) => {
        const key = projectedKey(labels, shape.names)
        const owner = key === undefined ? undefined : this.#byKey.get(key)
        if (owner === undefined || owner === pusher || !owner.families.has(name)) return false
        return seriesOf(owner, name, looked).has(labelsKey(labels))
      })
  }

  /** Index of the group that exposes these labels, or of the one it would stand before. */
  #placeOf(exposed: PushedLabels): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareLabels(this.#sorted[middle]!.exposed, exposed) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

const copyOf = (text: string): string => Buffer.from(text).toString()

const namesOf = (labels: PushedLabels): string[] => labels.filter((_, i) => i % 2 === 0)

/** The key of the group that has the values of these labels; `undefined` where one is missing. Both lists are sorted. */
function projectedKey(labels: PushedLabels, names: readonly string[]): string | undefined {
  const pairs: string[] = []
  let at = 0
  for (const name of names) {
    while (at < labels.length && labels[at] !== name) at += 2
    if (at >= labels.length) return undefined
    pairs.push(name, labels[at + 1]!)
  }
  return groupKeyOf(pairs)
}

function seriesOf(
  group: Group,
  name: string,
  looked: Map<Group, Map<string, ReadonlySet<string>>>,
): ReadonlySet<string> {
  let byName = looked.get(group)
  if (byName === undefined) looked.set(group, (byName = new Map()))
  let series = byName.get(name)
  if (series === undefined) {
    series = new Set(readFamily(group.families.get(name)!).metrics.map(({ labels }) => labelsKey(labels)))
    byName.set(name, series)
  }
  return series
}
