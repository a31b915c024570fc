// What batch jobs have pushed: the values, and how and when they came.
import type { LabelSet } from '../../model/frame.ts'
import { labelKey } from '../../model/series-color.ts'
import { request } from './client.ts'

export interface PushedFamily {
  readonly time_stamp: string
  readonly type: string
  readonly help?: string
  readonly metrics: readonly {
    readonly labels: LabelSet
    readonly value?: string
    readonly count?: string
    readonly sum?: string
  }[]
}

export interface PushEvent {
  readonly time: string
  readonly method: string
  readonly sender: string
  readonly bytes: number
  readonly refusal: string | null
}

/** How pushes of a group come in. */
export interface PushFacts {
  readonly labels: LabelSet
  readonly lastPushTime: string | null
  readonly lastFailureTime: string | null
  readonly lastPushSuccessful: boolean
  readonly pushCount: number
  readonly metricCount: number
  readonly pageCharacters: number
  readonly ttlSeconds: number | null
  readonly expiresAt: string | null
  readonly usualIntervalSeconds: number | null
  readonly overdue: boolean
  readonly events: readonly PushEvent[]
}

export interface PushGroup extends PushFacts {
  readonly families: Readonly<Record<string, PushedFamily>>
}

export async function pushGroups(signal?: AbortSignal): Promise<PushGroup[]> {
  const [facts, values] = await Promise.all([
    list('api/belltower/v1/push/groups', signal),
    list('pushgateway/api/v1/metrics', signal),
  ])
  const families = new Map(values.map((raw) => [labelKey(raw.labels as LabelSet), familiesOf(raw)]))
  return (facts as unknown as PushFacts[]).map((group) => ({
    ...group,
    families: families.get(labelKey(group.labels)) ?? {},
  }))
}

async function list(path: string, signal: AbortSignal | undefined): Promise<Record<string, unknown>[]> {
  const { data } = (await (await request(path, { signal })).json()) as { data: Record<string, unknown>[] | null }
  return data ?? []
}

const OWN_FIELDS = ['labels', 'last_push_successful', 'push_time_seconds', 'push_failure_time_seconds']

/** The families stand beside the group's own fields. */
function familiesOf(raw: Record<string, unknown>): Record<string, PushedFamily> {
  return Object.fromEntries(Object.entries(raw).filter(([name]) => !OWN_FIELDS.includes(name))) as Record<
    string,
    PushedFamily
  >
}

/** Deletes the group with exactly these labels, by the original's own address of it. */
export async function deletePushGroup(labels: LabelSet): Promise<void> {
  const { job = '', ...others } = labels
  const part = ([name, value]: [string, string]) => `/${name}@base64/${value === '' ? '=' : base64Url(value)}`
  const path = part(['job', job]) + Object.entries(others).map(part).join('')
  await request(`pushgateway/metrics${path}`, { method: 'DELETE' })
}

function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
