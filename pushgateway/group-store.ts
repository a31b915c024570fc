import { findInconsistencies } from './consistency.ts'
import { exposedLabels, groupKeyOf, PUSH_FAILURE_TIME, PUSH_TIME } from './exposed-labels.ts'
import type { PushedFamily, PushedType } from './family.ts'
import { type Group, expiresAtMs } from './group.ts'
import { GroupIndex } from './group-index.ts'
import type { GroupLabels } from './group-path.ts'
import { PushLimitError } from './errors.ts'
import { type PushEvent, rhythmOf, withEvent } from './push-history.ts'
import type { GroupRecord } from './change.ts'
import { storeFamily, type StoredFamily } from './stored-family.ts'

/** How much may be kept. What would be more is refused with a 4xx that names the limit. */
export interface PushLimits {
  /** Metrics, a histogram counting as one. */
  readonly metricsPerGroup: number
  readonly groups: number
  readonly metrics: number
  /** Characters of the page. */
  readonly pageCharacters: number
}

export interface PushFacts {
  readonly replaceAll: boolean
  readonly event: PushEvent
  /** `undefined`: as it was. */
  readonly ttlMs: number | undefined
}

/**
 * All groups. They are told apart by the labels they *expose*: `/job/a` and `/job/a/instance/` both show `instance=""` and
 * therefore are one group. Were they two, each would show the other's series.
 */
export class GroupStore {
  readonly #index = new GroupIndex()
  readonly #ownTypeOf: (name: string) => PushedType | undefined
  readonly #eventsMax: number
  readonly #allowsUtf8: boolean
  #metricCount = 0
  #characters = 0

  constructor(options: {
    /** The type of the process's own metric of that name, if it has one. */
    readonly ownTypeOf: (name: string) => PushedType | undefined
    /** Pushes remembered of each group. */
    readonly eventsMax: number
    readonly allowsUtf8: boolean
  }) {
    this.#ownTypeOf = options.ownTypeOf
    this.#eventsMax = options.eventsMax
    this.#allowsUtf8 = options.allowsUtf8
  }

  /** In the order of their labels. */
  get groups(): readonly Group[] {
    return this.#index.sorted
  }

  get size(): number {
    return this.#index.size
  }

  get metricCount(): number {
    return this.#metricCount
  }

  group(labels: GroupLabels): Group | undefined {
    return this.#index.get(groupKeyOf(exposedLabels(labels)))
  }

  familyNames(): IterableIterator<string> {
    return this.#index.familyNames()
  }

  /** Why `push` must not be called with these families; they are as `adoptFamilies` made them. */
  check(labels: GroupLabels, families: readonly PushedFamily[], replaceAll: boolean): string[] {
    const own = this.group(labels)
    const pushedNames = new Set(families.map(({ name }) => name))
    return findInconsistencies(families, {
      typeOf: (name) => {
        if (name === PUSH_TIME || name === PUSH_FAILURE_TIME) return 'gauge'
        const isReplaced = replaceAll || pushedNames.has(name)
        return this.#index.typeOf(name, isReplaced ? own : undefined)
      },
      ownTypeOf: this.#ownTypeOf,
      // A series of this group belongs to a family of the same name, which the push replaces.
      hasSeries: this.#index.seriesFinder(own),
      allowsUtf8: this.#allowsUtf8,
    })
  }

  /** @throws {PushLimitError} when the push would take the store beyond a limit */
  checkLimits(
    labels: GroupLabels,
    push: { readonly families: readonly PushedFamily[]; readonly replaceAll: boolean; readonly characters: number },
    limits: PushLimits,
  ): void {
    const own = this.group(labels)
    if (own === undefined && this.size >= limits.groups)
      throw new PushLimitError(`the limit of ${limits.groups} groups is reached: delete groups, or raise it`, 429)
    const replaced =
      own === undefined
        ? []
        : [...own.families.values()].filter(
            ({ name }) => push.replaceAll || push.families.some((family) => family.name === name),
          )
    const metrics =
      push.families.reduce((sum, family) => sum + family.metrics.length, 0) -
      replaced.reduce((sum, family) => sum + family.metricCount, 0)
    if (metrics > 0 && (own?.metricCount ?? 0) + metrics > limits.metricsPerGroup)
      throw new PushLimitError(
        `the group would have more than ${limits.metricsPerGroup} metrics, which is the limit`,
        413,
      )
    if (metrics > 0 && this.#metricCount + metrics > limits.metrics)
      throw new PushLimitError(`all groups together would have more than ${limits.metrics} metrics, the limit`, 429)
    if (push.characters > 0 && this.#characters + push.characters > limits.pageCharacters)
      throw new PushLimitError(`the page would have more than ${limits.pageCharacters} characters, the limit`, 429)
  }

  /** Replaces the group's families: all of them, or only those of the same names. */
  push(labels: GroupLabels, families: readonly PushedFamily[], facts: PushFacts): Group {
    const { event, replaceAll, ttlMs } = facts
    const group = this.#groupOf(labels, event.timeMs)
    const stored = families.map((family) => storeFamily({ ...family, ...this.#textOf(family) }, event.timeMs))
    this.#setFamilies(group, stored, replaceAll)
    group.pushTimeMs = event.timeMs
    if (ttlMs !== undefined) group.ttlMs = ttlMs
    this.#note(group, event)
    return group
  }

  /** Notes a push that was refused. The group appears with its two times, as it does in the original. */
  fail(labels: GroupLabels, event: PushEvent): void {
    const group = this.#groupOf(labels, event.timeMs)
    group.pushFailureTimeMs = event.timeMs
    this.#note(group, event)
  }

  /** Exactly this group, none that has more labels. */
  delete(labels: GroupLabels): boolean {
    const group = this.group(labels)
    if (group === undefined) return false
    this.#setFamilies(group, [], true)
    this.#index.remove(group)
    return true
  }

  clear(): void {
    this.#index.clear()
    this.#metricCount = 0
    this.#characters = 0
  }

  /** Puts a group as it was kept in place of what is there. */
  restore(group: GroupRecord, families: readonly StoredFamily[]): void {
    this.delete(group.labels)
    const restored = this.#groupOf(group.labels, group.firstPushMs)
    this.#setFamilies(restored, families, true)
    const { pushTimeMs, pushFailureTimeMs, ttlMs, events, pushCount } = group
    Object.assign(restored, { pushTimeMs, pushFailureTimeMs, ttlMs, events, pushCount })
    restored.dueAtMs = rhythmOf(events)?.dueAtMs ?? Number.POSITIVE_INFINITY
  }

  /** Groups whose time is over, and when the next one's will be. */
  expired(nowMs: number): { readonly groups: readonly Group[]; readonly nextAtMs: number | undefined } {
    const groups: Group[] = []
    let nextAtMs: number | undefined
    for (const group of this.groups) {
      const atMs = expiresAtMs(group)
      if (atMs === undefined) continue
      if (atMs <= nowMs) groups.push(group)
      else nextAtMs = Math.min(nextAtMs ?? atMs, atMs)
    }
    return { groups, nextAtMs }
  }

  #textOf(family: PushedFamily): Pick<PushedFamily, 'name' | 'help'> {
    const { name, help } = this.#index.sharedText(family.name, family.help)
    return { name, help }
  }

  #note(group: Group, event: PushEvent): void {
    group.events = withEvent(group.events, event, this.#eventsMax)
    group.pushCount++
    if (event.refusal === '') group.dueAtMs = rhythmOf(group.events)?.dueAtMs ?? Number.POSITIVE_INFINITY
  }

  #groupOf(labels: GroupLabels, nowMs: number): Group {
    const exposed = exposedLabels(labels)
    const key = groupKeyOf(exposed)
    let group = this.#index.get(key)
    if (group === undefined) {
      group = {
        labels,
        exposed,
        key,
        firstPushMs: nowMs,
        pushTimeMs: 0,
        pushFailureTimeMs: 0,
        ttlMs: 0,
        families: new Map(),
        metricCount: 0,
        characters: 0,
        events: [],
        pushCount: 0,
        dueAtMs: Number.POSITIVE_INFINITY,
      }
      this.#index.add(group)
    }
    return group
  }

  #setFamilies(group: Group, families: readonly StoredFamily[], replaceAll: boolean): void {
    const next = new Map(replaceAll ? [] : group.families)
    for (const family of families) next.set(family.name, family)
    for (const [name, before] of group.families) {
      if (next.get(name) === before) continue
      this.#count(group, before, -1)
      if (!next.has(name)) this.#index.dropFamily(group, name)
    }
    for (const family of families) {
      this.#count(group, family, 1)
      this.#index.setFamily(group, family)
    }
    group.families = next
  }

  #count(group: Group, family: StoredFamily, sign: 1 | -1): void {
    group.metricCount += sign * family.metricCount
    group.characters += sign * family.lines.length
    this.#metricCount += sign * family.metricCount
    this.#characters += sign * family.lines.length
  }
}
