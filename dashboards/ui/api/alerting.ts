// What Belltower tells about alerts beyond Alertmanager's API: why one does or does not notify, where it goes, what was sent.
import type { LabelSet } from '../../model/frame.ts'
import { request, requestJson } from './client.ts'

const API = 'api/belltower/v1/alerting'

export interface Explanation {
  readonly fingerprint: string
  readonly labels: LabelSet
  /** `unknown` = no such alert has arrived; the rest says what would become of one. */
  readonly state: 'firing' | 'resolved' | 'unknown'
  readonly destinations: readonly Destination[]
}

export interface Destination {
  readonly receiver: string
  /** Matchers from the root to the route that took it. */
  readonly routePath: readonly string[]
  readonly groupKey: string
  readonly groupLabels: LabelSet
  readonly nextFlushAt: string | null
  readonly alertCount: number
  readonly silencedBy: readonly {
    readonly id: string
    readonly createdBy: string
    readonly comment: string
    readonly endsAt: string
  }[]
  readonly inhibitedBy?: { readonly fingerprint: string; readonly labels: string }
  readonly mutedBy: readonly string[]
  readonly acknowledgedBy?: string
  readonly integrations: readonly IntegrationState[]
  /** One sentence. */
  readonly verdict: string
}

export interface IntegrationState {
  readonly integration: string
  readonly index: number
  readonly lastNotifiedAt: string | null
  readonly reason?: string
  readonly repeatsAt: string | null
  /** '' = nothing is held up. */
  readonly lastError: string
}

export interface Sent {
  readonly at: string
  readonly groupKey: string
  readonly groupLabels: LabelSet
  readonly receiver: string
  readonly integration: string
  readonly index: number
  readonly reason: string
  readonly firingCount: number
  readonly resolvedCount: number
  readonly attempts: number
  readonly durationMs: number
  readonly outcome: 'delivered' | 'failed'
  readonly detail: string
  readonly error: string
}

export interface Acknowledgement {
  readonly groupKey: string
  readonly by: string
  readonly comment: string
  readonly at: string
  readonly until: string
}

export interface RouteNode {
  readonly receiver: string
  readonly matchers: string
  readonly key: string
  readonly continue: boolean
  readonly groupBy: readonly string[]
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  readonly muteTimeIntervals: readonly string[]
  readonly activeTimeIntervals: readonly string[]
  readonly routes: readonly RouteNode[]
}

export interface RouteHit {
  readonly receiver: string
  readonly routeKey: string
  readonly groupKey: string
  readonly groupLabels: LabelSet
}

export interface TestOutcome {
  readonly integration: string
  readonly index: number
  readonly delivered: boolean
  readonly detail: string
  readonly error: string
}

/** @param alert a fingerprint where the alert has arrived, else its labels */
export function explainAlert(alert: string | LabelSet, signal?: AbortSignal): Promise<Explanation> {
  const params = typeof alert === 'string' ? new URLSearchParams({ fingerprint: alert }) : labelParams(alert)
  return requestJson(`${API}/explain`, { params, signal })
}

export function sentNotifications(
  filter: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<readonly Sent[]> {
  return requestJson(`${API}/notifications`, { params: new URLSearchParams(filter), signal })
}

export function acknowledgements(signal?: AbortSignal): Promise<readonly Acknowledgement[]> {
  return requestJson(`${API}/acknowledgements`, { signal })
}

/** @param duration such as `2h`; absent = the server's own */
export async function acknowledge(ack: {
  readonly groupKey: string
  readonly by: string
  readonly comment: string
  readonly duration?: string
}): Promise<void> {
  await request(`${API}/acknowledgements`, { method: 'POST', json: ack })
}

export async function withdrawAcknowledgement(groupKey: string): Promise<void> {
  await request(`${API}/acknowledgements`, { method: 'DELETE', params: new URLSearchParams({ groupKey }) })
}

export function routeTree(signal?: AbortSignal): Promise<RouteNode> {
  return requestJson(`${API}/routes`, { signal })
}

export function testRoutes(labels: LabelSet, signal?: AbortSignal): Promise<readonly RouteHit[]> {
  return requestJson(`${API}/routes/test`, { params: labelParams(labels), signal })
}

export function sendTest(receiver: string): Promise<readonly TestOutcome[]> {
  return requestJson(`${API}/receivers/${encodeURIComponent(receiver)}/test`, { method: 'POST' })
}

function labelParams(labels: LabelSet): URLSearchParams {
  return new URLSearchParams(Object.entries(labels).map(([name, value]) => ['label', `${name}=${value}`]))
}
