import { type Labels, labelsText } from '../model/index.ts'
import { fingerprintOf } from './alert/fingerprint.ts'
import { isResolved } from './alert/stored-alert.ts'
import { matchersText } from './matcher/parse.ts'
import { notificationReason } from './notify/notification-log.ts'
import type { Integration } from './notify/notifier.ts'
import { mutingIntervals } from './notify/audience.ts'
import { entryKey } from './notify/reason.ts'
import { whereOf } from './notify/receipts/receipt-desk.ts'
import type { Receipt } from './notify/receipts/receipts.ts'
import type { EscalationView, OnCallDesk } from './oncall/desk.ts'
import type { FlappingView } from './oncall/flap-damper.ts'
import type { HeartbeatView } from './oncall/heartbeat-sender.ts'
import { findRoutes, groupKeyOf, groupLabelsOf, type Route } from './route/route.ts'
import type { Runtime } from './runtime.ts'
import type { AlertmanagerState } from './state.ts'

/** Why an alert with these labels does, or does not, reach anybody. */
export interface Explanation {
  readonly fingerprint: string
  readonly labels: Labels
  /** `unknown` = no alert with these labels has arrived; the rest says what would become of one. */
  readonly state: 'firing' | 'resolved' | 'unknown'
  readonly destinations: readonly DestinationExplanation[]
  /** Signs of life to the outside that this alert is the source of. */
  readonly heartbeats: readonly HeartbeatView[]
}

export interface DestinationExplanation {
  readonly receiver: string
  /** Matchers from the root to the route that took it. */
  readonly routePath: readonly string[]
  readonly groupKey: string
  readonly groupLabels: Labels
  /** `undefined` = there is no such group now. */
  readonly nextFlushAtMs: number | undefined
  readonly alertCount: number
  readonly silencedBy: readonly {
    readonly id: string
    readonly createdBy: string
    readonly comment: string
    readonly endsAtMs: number
  }[]
  readonly inhibitedBy: { readonly fingerprint: string; readonly labels: string } | undefined
  readonly mutedBy: readonly string[]
  readonly acknowledgedBy: string | undefined
  /** `undefined` = the receiver tells whom it always tells. */
  readonly onCall: { readonly schedule: string; readonly people: readonly string[] } | undefined
  /** `undefined` = none is under way. */
  readonly escalation: EscalationView | undefined
  /** `undefined` = the alert is not held for flapping. */
  readonly flapping: FlappingView | undefined
  readonly integrations: readonly IntegrationExplanation[]
  /** One sentence. */
  readonly verdict: string
}

export interface IntegrationExplanation {
  readonly integration: string
  readonly index: number
  readonly lastNotifiedAtMs: number | undefined
  /** Why it would be told at the next flush; `undefined` = it has nothing new to be told. */
  readonly reason: string | undefined
  /** When the same would be told again. */
  readonly repeatsAtMs: number | undefined
  /** Why it has not arrived yet; '' = nothing is held up. */
  readonly lastError: string
  /** What became of messages that the provider has taken, latest last. */
  readonly receipts: readonly Receipt[]
}

export function explainAlert(
  labels: Labels,
  { runtime, state, nowMs, desk }: Pick<Question, 'runtime' | 'state' | 'nowMs' | 'desk'>,
): Explanation {
  const fingerprint = fingerprintOf(labels)
  const alert = state.alerts.get(fingerprint)
  const status = alert ? (isResolved(alert, nowMs) ? 'resolved' : 'firing') : 'unknown'
  return {
    fingerprint,
    labels,
    state: status,
    destinations: findRoutes(runtime.route, labels).map((route) =>
      destinationOf({ labels, fingerprint, status, route, runtime, state, nowMs, desk }),
    ),
    heartbeats: runtime.onCall.heartbeats
      .filter((heartbeat) => heartbeat.isFor({ labels }))
      .map((heartbeat) => heartbeat.view()),
  }
}

interface Question {
  readonly labels: Labels
  readonly fingerprint: string
  readonly status: Explanation['state']
  readonly route: Route
  readonly runtime: Runtime
  readonly state: AlertmanagerState
  readonly nowMs: number
  readonly desk: OnCallDesk
}

function destinationOf(question: Question): DestinationExplanation {
  const { labels, fingerprint, route, runtime, state, nowMs, desk } = question
  const groupLabels = groupLabelsOf(route, labels)
  const groupKey = groupKeyOf(route, groupLabels)
  const group = runtime.dispatcher?.group(route, groupLabels)
  const inhibitor = runtime.inhibitor.inhibitedBy(labels, nowMs)
  const acknowledged = state.acknowledgements.get(groupKey, nowMs)
  const facts = {
    receiver: route.receiver,
    routePath: pathTo(runtime.route, route),
    groupKey,
    groupLabels,
    nextFlushAtMs: group?.timer.nextFlushAtMs,
    alertCount: group?.size ?? 0,
    silencedBy: state.silences.mutedBy(fingerprint, labels).flatMap((id) => {
      const silence = state.silences.get(id)
      return silence ? [{ id, createdBy: silence.createdBy, comment: silence.comment, endsAtMs: silence.endsAtMs }] : []
    }),
    inhibitedBy:
      inhibitor === undefined
        ? undefined
        : { fingerprint: inhibitor, labels: labelsText(state.alerts.get(inhibitor)?.labels ?? []) },
    mutedBy: mutingIntervals(route, runtime.config.timeIntervals, nowMs)?.names ?? [],
    acknowledgedBy: acknowledged?.by,
    onCall: onCallOf(question),
    escalation: desk.escalation(groupKey, route.receiver),
    flapping: state.flapping.held(fingerprint, nowMs),
    integrations: (runtime.integrations.get(route.receiver) ?? []).map((target) =>
      integrationOf(question, target, groupKey, groupLabels),
    ),
  }
  return { ...facts, verdict: verdictOf(question.status, facts, nowMs) }
}

function onCallOf({ route, runtime, desk, nowMs }: Question): DestinationExplanation['onCall'] {
  const schedule = runtime.onCall.scheduleOf(route.receiver)
  return schedule === undefined
    ? undefined
    : { schedule, people: desk.roster.peopleOn(schedule, nowMs).map(({ name }) => name) }
}

function integrationOf(
  { route, runtime, state, nowMs }: Question,
  target: Integration,
  groupKey: string,
  groupLabels: Labels,
): IntegrationExplanation {
  const key = entryKey(groupKey, target)
  const entry = state.notificationLog.get(key)
  const alerts = runtime.dispatcher?.group(route, groupLabels)?.alerts() ?? []
  const fingerprints = (resolved: boolean): Set<string> =>
    new Set(alerts.filter((alert) => isResolved(alert, nowMs) === resolved).map((alert) => alert.fingerprint))
  const { repeatIntervalMs } = route
  return {
    integration: target.name,
    index: target.index,
    lastNotifiedAtMs: entry?.atMs,
    reason: notificationReason(
      entry,
      { firing: fingerprints(false), resolved: fingerprints(true), atMs: nowMs },
      { sendResolved: target.sendResolved, repeatIntervalMs },
    ),
    repeatsAtMs: entry && entry.atMs + repeatIntervalMs,
    lastError: state.outgoing.get(key)?.lastError ?? '',
    receipts: state.receipts.of(whereOf(target), groupKey),
  }
}

function pathTo(root: Route, wanted: Route): string[] {
  const path = (route: Route): string[] | undefined => {
    const own = matchersText(route.matchers)
    if (route === wanted) return [own]
    for (const child of route.routes) {
      const rest = path(child)
      if (rest) return [own, ...rest]
    }
    return undefined
  }
  return path(root) ?? []
}

type Facts = Omit<DestinationExplanation, 'verdict'>

/** The first thing on the alert's way that decides. */
function verdictOf(status: Explanation['state'], facts: Facts, nowMs: number): string {
  const { inhibitedBy, mutedBy, silencedBy, integrations, nextFlushAtMs, receiver, acknowledgedBy } = facts
  const { flapping, escalation } = facts
  if (inhibitedBy) return `Kept back: the firing alert ${inhibitedBy.labels} inhibits it.`
  if (mutedBy.length > 0) return `Kept back: the route is quiet now by its time intervals ${mutedBy.join(', ')}.`
  if (silencedBy.length > 0)
    return `Kept back: silence ${silencedBy[0]!.id} by ${silencedBy[0]!.createdBy || 'somebody'} covers it.`
  if (status === 'unknown')
    return `No such alert has arrived; if one came, ${receiver} would be told after the route's group_wait.`
  if (flapping)
    return (
      `Kept back: it changed its state ${flapping.changeCount} times in a short time and is held ` +
      `until ${new Date(flapping.stableAtMs).toISOString()} unless it goes on.`
    )
  if (integrations.length === 0) return `Nobody is told: receiver ${receiver} has no integration.`
  const held = integrations.find(({ lastError }) => lastError !== '')
  if (held) return `On its way: ${held.integration} has not taken it yet: ${held.lastError}`
  if (acknowledgedBy !== undefined) return `Acknowledged by ${acknowledgedBy || 'somebody'}: it is not repeated.`
  const due = integrations.find(({ reason }) => reason !== undefined)
  if (due && nextFlushAtMs !== undefined)
    return `${receiver} is told (${due.reason}) in ${Math.max(0, Math.ceil((nextFlushAtMs - nowMs) / 1000))} s.`
  const told = integrations.find(({ lastNotifiedAtMs }) => lastNotifiedAtMs !== undefined)
  if (!told) return `Nothing is to be told to ${receiver}.`
  const lost = told.receipts.at(-1)
  const since =
    escalation?.nextReceiver === undefined
      ? 'nothing has changed since.'
      : `if nobody acknowledges it, ${escalation.nextReceiver} is told at ${new Date(escalation.nextAtMs!).toISOString()}.`
  const others = escalation?.told.length ? `, then ${escalation.told.join(', ')}` : ''
  const but = lost?.outcome === 'undelivered' ? ` (not delivered to ${lost.recipient}: ${lost.detail})` : ''
  return `${receiver} was told at ${new Date(told.lastNotifiedAtMs!).toISOString()}${but}${others}; ${since}`
}
