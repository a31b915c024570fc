// Alertmanager's API v2 as the pages use it.
import type { AlertMatcher } from '../../model/alert-matchers.ts'
import type { LabelSet } from '../../model/frame.ts'
import { request } from './client.ts'

export interface GettableAlert {
  readonly annotations: LabelSet
  readonly labels: LabelSet
  readonly fingerprint: string
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
  readonly receivers: readonly { readonly name: string }[]
  readonly status: {
    readonly state: 'active' | 'suppressed' | 'unprocessed'
    readonly silencedBy: readonly string[]
    readonly inhibitedBy: readonly string[]
    readonly mutedBy?: readonly string[]
  }
}

export interface AlertGroup {
  readonly labels: LabelSet
  readonly receiver: { readonly name: string }
  readonly alerts: readonly GettableAlert[]
}

export interface Silence {
  readonly id: string
  readonly matchers: readonly (Omit<AlertMatcher, 'isEqual'> & { readonly isEqual?: boolean })[]
  readonly startsAt: string
  readonly endsAt: string
  readonly updatedAt: string
  readonly createdBy: string
  readonly comment: string
  readonly status: { readonly state: 'active' | 'pending' | 'expired' }
}

export interface NewSilence {
  readonly id?: string
  readonly matchers: readonly AlertMatcher[]
  readonly startsAt: string
  readonly endsAt: string
  readonly createdBy: string
  readonly comment: string
}

const API = 'alertmanager/api/v2'

export async function alertGroups(
  filter: readonly string[],
  receiver: string | undefined,
  signal?: AbortSignal,
): Promise<AlertGroup[]> {
  const params = new URLSearchParams(filter.map((matcher) => ['filter', matcher]))
  if (receiver !== undefined) params.set('receiver', receiver)
  return (await request(`${API}/alerts/groups`, { params, signal })).json() as Promise<AlertGroup[]>
}

export async function notifiedAlerts(signal?: AbortSignal): Promise<GettableAlert[]> {
  return (await request(`${API}/alerts`, { signal })).json() as Promise<GettableAlert[]>
}

export async function receiverNames(signal?: AbortSignal): Promise<string[]> {
  const receivers = (await (await request(`${API}/receivers`, { signal })).json()) as { name: string }[]
  return receivers.map(({ name }) => name)
}

export async function silences(signal?: AbortSignal): Promise<Silence[]> {
  return (await request(`${API}/silences`, { signal })).json() as Promise<Silence[]>
}

/** @returns the id of the silence */
export async function saveSilence(silence: NewSilence): Promise<string> {
  const response = await request(`${API}/silences`, { method: 'POST', json: silence })
  return ((await response.json()) as { silenceID: string }).silenceID
}

export async function expireSilence(id: string): Promise<void> {
  await request(`${API}/silence/${encodeURIComponent(id)}`, { method: 'DELETE' })
}
