import type { GaugeMode } from './aggregate.ts'
import type { BodyFormat } from './body.ts'
import type { Group } from './group.ts'
import type { GroupLabels } from './group-path.ts'
import type { PushEvent } from './push-history.ts'
import type { StoredFamily } from './stored-family.ts'

/** A record of the journal. What was pushed is kept as it came, so that writing it costs next to nothing. */
export type Change =
  | PushChange
  | { readonly op: 'fail'; readonly labels: GroupLabels; readonly event: PushEvent }
  | { readonly op: 'delete'; readonly labels: GroupLabels }
  | { readonly op: 'wipe' }
  | { readonly op: 'group'; readonly group: GroupRecord; readonly families: readonly StoredFamily[] }

export interface PushChange {
  readonly op: 'push'
  readonly labels: GroupLabels
  readonly format: BodyFormat
  readonly body: Buffer
  readonly replaceAll: boolean
  readonly event: PushEvent
  readonly ttlMs: number | undefined
  readonly aggregate: GaugeMode | undefined
}

export type GroupRecord = Omit<Group, 'families' | 'exposed' | 'key' | 'metricCount' | 'characters' | 'dueAtMs'>

/** What the groups are now, made one by one as they are taken; later changes of them do not show. */
export function groupChanges(groups: readonly Group[]): Iterable<Change> {
  const now = groups.map((group) => ({ ...group }))
  return (function* () {
    for (const group of now) yield groupChange(group)
  })()
}

function groupChange(group: Group): Change {
  const { labels, firstPushMs, pushTimeMs, pushFailureTimeMs, ttlMs, events, pushCount, families } = group
  return {
    op: 'group',
    group: { labels, firstPushMs, pushTimeMs, pushFailureTimeMs, ttlMs, events, pushCount },
    families: [...families.values()],
  }
}
