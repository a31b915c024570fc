// Who is on call and for how long, steps that wait, signs of life, alerts that flap. As docs/on-call.md has it.
import type { LabelSet } from '../../model/frame.ts'
import { request, requestJson } from './client.ts'

const API = 'api/belltower/v1/alerting'

export interface OnCallView {
  readonly schedule: string
  readonly timeZone: string
  readonly people: readonly string[]
  /** The layer, or `override`; '' = nobody is on call. */
  readonly source: string
  readonly until: string | null
  readonly next: readonly string[]
}

export interface Shift {
  readonly people: readonly string[]
  readonly source: string
  readonly from: string
  readonly to: string
}

export interface Override {
  readonly id: string
  readonly schedule: string
  readonly people: readonly string[]
  readonly from: string
  readonly to: string
  readonly comment: string
  readonly createdBy: string
}

export interface Escalation {
  readonly groupKey: string
  readonly receiver: string
  readonly startedAt: string
  readonly round: number
  readonly told: readonly string[]
  readonly nextAt: string | null
  readonly nextReceiver: string | null
  readonly acknowledgedBy: string | null
  /** Why the latest step reached nobody; '' = it did. */
  readonly lastError: string
}

export interface Flapping {
  readonly fingerprint: string
  readonly labels: LabelSet
  readonly isFiring: boolean
  readonly changeCount: number
  readonly since: string
  readonly stableAt: string
}

export interface Heartbeats {
  readonly sent: readonly {
    readonly name: string
    readonly intervalMs: number
    readonly lastSentAt: string | null
    /** Why the next one would be withheld; '' = all is well. */
    readonly withheld: string
    readonly lastError: string
  }[]
  readonly expected: readonly {
    readonly name: string
    readonly intervalMs: number
    readonly graceMs: number
    readonly lastAt: string | null
    readonly missingAt: string
    readonly isMissing: boolean
  }[]
}

export const onCall = (signal?: AbortSignal): Promise<readonly OnCallView[]> =>
  requestJson(`${API}/on-call`, { signal })

export function shifts(
  schedule: string,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): Promise<readonly Shift[]> {
  const params = new URLSearchParams({ from: String(fromMs / 1000), to: String(toMs / 1000) })
  return requestJson(`${API}/on-call/schedules/${encodeURIComponent(schedule)}/shifts`, { params, signal })
}

export const overrides = (signal?: AbortSignal): Promise<readonly Override[]> =>
  requestJson(`${API}/on-call/overrides`, { signal })

export const escalations = (signal?: AbortSignal): Promise<readonly Escalation[]> =>
  requestJson(`${API}/escalations`, { signal })

export const flapping = (signal?: AbortSignal): Promise<readonly Flapping[]> =>
  requestJson(`${API}/flapping`, { signal })

export const heartbeats = (signal?: AbortSignal): Promise<Heartbeats> => requestJson(`${API}/heartbeats`, { signal })

export async function addOverride(override: Omit<Override, 'id'>): Promise<void> {
  await request(`${API}/on-call/overrides`, { method: 'POST', json: override })
}

export async function removeOverride(id: string): Promise<void> {
  await request(`${API}/on-call/overrides/${encodeURIComponent(id)}`, { method: 'DELETE' })
}
