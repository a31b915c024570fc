import type { PushedLabels } from './family.ts'
import type { GroupLabels } from './group-path.ts'
import type { PushEvent } from './push-history.ts'
import type { StoredFamily } from './stored-family.ts'

/** What jobs have pushed under one set of labels. Owned by the store; others read. Times are Unix milliseconds. */
export interface Group {
  /** As the first push named it. */
  readonly labels: GroupLabels
  readonly exposed: PushedLabels
  readonly key: string
  readonly firstPushMs: number
  /** 0 = never. */
  pushTimeMs: number
  pushFailureTimeMs: number
  /** It goes so long after its last push; 0 = it stays. */
  ttlMs: number
  /** Replaced as a whole, never changed, so that whoever reads it at leisure sees one moment. */
  families: ReadonlyMap<string, StoredFamily>
  metricCount: number
  /** Of its lines on the page. */
  characters: number
  /** The last pushes, oldest first. */
  events: readonly PushEvent[]
  pushCount: number
  /** When it should have been pushed again at the latest, by its usual rhythm; Infinity while it shows none. */
  dueAtMs: number
}

/** When it goes by itself; `undefined`: never. */
export const expiresAtMs = (group: Group): number | undefined =>
  group.ttlMs === 0 || group.pushTimeMs === 0 ? undefined : group.pushTimeMs + group.ttlMs
