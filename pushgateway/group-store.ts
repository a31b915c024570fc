import { compareLabels, compareStrings } from '../model/index.ts'
import { type ExposedPage, findInconsistencies, seriesKeyOf } from './consistency.ts'
import type { PushedFamily, PushedLabels, PushedMetric, PushedType } from './family.ts'
import type { GroupLabels } from './group-path.ts'

export const PUSH_TIME = 'push_time_seconds'
export const PUSH_FAILURE_TIME = 'push_failure_time_seconds'

export interface StoredFamily {
  readonly family: PushedFamily
  readonly pushedAtMs: number
}

export interface Group {
  /** As the first push named it. */
  readonly labels: GroupLabels
  /** Unix milliseconds; 0 = never. */
  pushTimeMs: number
  pushFailureTimeMs: number
  readonly families: Map<string, StoredFamily>
}

/**
 * All groups, with an index of what the page shows, so that a push is checked in the time of its own size.
 *
 * Groups are told apart by the labels they *expose*: `/job/a` and `/job/a/instance/` both show `instance=""` and therefore
 * are one group. Were they two, each would show the other's series.
 */
export class GroupStore {
  readonly #groups = new Map<string, Group>()
  /** Family name → key of each group that has it → type there. */
  readonly #types = new Map<string, Map<string, PushedType>>()
  readonly #seriesOwner = new Map<string, string>()
  readonly #ownTypeOf: (name: string) => PushedType | undefined

  /** @param ownTypeOf the type of the process's own metric of that name, if it has one */
  constructor(ownTypeOf: (name: string) => PushedType | undefined) {
    this.#ownTypeOf = ownTypeOf
  }

  /** In the order of their labels. */
  list(): Group[] {
    return [...this.#groups.values()]
      .map((group) => ({ group, exposed: adoptLabels([], group.labels) }))
      .sort((a, b) => compareLabels(a.exposed, b.exposed))
      .map(({ group }) => group)
  }

  get size(): number {
    return this.#groups.size
  }

  /** Why `push` must not be called with these families; they are as `adoptFamilies` made them. */
  check(labels: GroupLabels, families: readonly PushedFamily[], replaceAll: boolean): string[] {
    const own = groupKey(labels)
    const pushedNames = new Set(families.map(({ name }) => name))
    const isReplaced = (name: string): boolean => replaceAll || pushedNames.has(name)
    const page: ExposedPage = {
      typeOf: (name) => {
        if (name === PUSH_TIME || name === PUSH_FAILURE_TIME) return 'gauge'
        for (const [key, type] of this.#types.get(name) ?? []) if (key !== own || !isReplaced(name)) return type
        return undefined
      },
      ownTypeOf: this.#ownTypeOf,
      hasSeries: (key) => {
        const owner = this.#seriesOwner.get(key)
        // A series of this group belongs to a family of the same name, which the push replaces.
        return owner !== undefined && owner !== own
      },
    }
    return findInconsistencies(families, page)
  }

  /** Replaces the group's families: all of them, or only those of the same names. */
  push(labels: GroupLabels, families: readonly PushedFamily[], options: { replaceAll: boolean; timeMs: number }): void {
    const key = groupKey(labels)
    const group = this.#groupOf(key, labels)
    if (options.replaceAll) for (const name of group.families.keys()) this.#dropFamily(key, group, name)
    for (const family of families) {
      this.#dropFamily(key, group, family.name)
      group.families.set(family.name, { family, pushedAtMs: options.timeMs })
      let types = this.#types.get(family.name)
      if (types === undefined) this.#types.set(family.name, (types = new Map()))
      types.set(key, family.type)
      for (const metric of family.metrics) this.#seriesOwner.set(seriesKeyOf(family.name, metric.labels), key)
    }
    group.pushTimeMs = options.timeMs
  }

  /** Notes a push that was refused. The group appears with its two times, as it does in the original. */
  fail(labels: GroupLabels, timeMs: number): void {
    this.#groupOf(groupKey(labels), labels).pushFailureTimeMs = timeMs
  }

  /** Exactly this group, none that has more labels. */
  delete(labels: GroupLabels): void {
    const key = groupKey(labels)
    const group = this.#groups.get(key)
    if (group === undefined) return
    for (const name of group.families.keys()) this.#dropFamily(key, group, name)
    this.#groups.delete(key)
  }

  clear(): void {
    this.#groups.clear()
    this.#types.clear()
    this.#seriesOwner.clear()
  }

  /** Puts back what `list` gave. */
  restore(group: Group): void {
    for (const { family, pushedAtMs } of group.families.values())
      this.push(group.labels, [family], { replaceAll: false, timeMs: pushedAtMs })
    const restored = this.#groupOf(groupKey(group.labels), group.labels)
    restored.pushTimeMs = group.pushTimeMs
    restored.pushFailureTimeMs = group.pushFailureTimeMs
  }

  /** All families of all groups by name; those of one name joined, under the type and help that come first. */
  exposedFamilies(): PushedFamily[] {
    const merged = new Map<string, { name: string; type: PushedType; help: string; metrics: PushedMetric[] }>()
    for (const group of this.list())
      for (const family of [...timeFamilies(group), ...[...group.families.values()].map((stored) => stored.family)]) {
        const known = merged.get(family.name)
        if (known === undefined) merged.set(family.name, { ...family, metrics: [...family.metrics] })
        else {
          known.metrics.push(...family.metrics)
          if (known.help === '') known.help = family.help
        }
      }
    return [...merged.values()].sort((a, b) => compareStrings(a.name, b.name))
  }

  #groupOf(key: string, labels: GroupLabels): Group {
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = { labels, pushTimeMs: 0, pushFailureTimeMs: 0, families: new Map() }
      this.#groups.set(key, group)
    }
    return group
  }

  #dropFamily(key: string, group: Group, name: string): void {
    const stored = group.families.get(name)
    if (stored === undefined) return
    group.families.delete(name)
    const types = this.#types.get(name)
    types?.delete(key)
    if (types?.size === 0) this.#types.delete(name)
    for (const metric of stored.family.metrics) this.#seriesOwner.delete(seriesKeyOf(name, metric.labels))
  }
}

/**
 * The families as they are exposed: the group's labels overwrite equal ones of the body, every metric has an `instance`,
 * and the two times are the gateway's to set.
 */
export function adoptFamilies(families: readonly PushedFamily[], labels: GroupLabels): PushedFamily[] {
  return families
    .filter(({ name }) => name !== PUSH_TIME && name !== PUSH_FAILURE_TIME)
    .map((family) => ({
      ...family,
      metrics: family.metrics.map((metric) => ({ ...metric, labels: adoptLabels(metric.labels, labels) })),
    }))
}

/** The two gauges that every group has. */
export function timeFamilies(group: Group): [pushTime: PushedFamily, failureTime: PushedFamily] {
  const labels = adoptLabels([], group.labels)
  const gauge = (name: string, help: string, timeMs: number): PushedFamily => ({
    name,
    type: 'gauge',
    help,
    metrics: [{ labels, value: timeMs / 1000 }],
  })
  return [
    gauge(PUSH_TIME, 'When this group was last changed, in Unix seconds.', group.pushTimeMs),
    gauge(PUSH_FAILURE_TIME, 'When changing this group last failed, in Unix seconds.', group.pushFailureTimeMs),
  ]
}

function adoptLabels(metricLabels: PushedLabels, groupLabels: GroupLabels): PushedLabels {
  const merged = new Map<string, string>([['instance', '']])
  for (let i = 0; i < metricLabels.length; i += 2) merged.set(metricLabels[i]!, metricLabels[i + 1]!)
  for (const [name, value] of Object.entries(groupLabels)) merged.set(name, value)
  return [...merged].sort(([a], [b]) => compareStrings(a, b)).flat()
}

const groupKey = (labels: GroupLabels): string => adoptLabels([], labels).join('\u00ff')
