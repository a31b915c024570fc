import type { Labels } from '../model/index.ts'
import type { StoredAlert } from './alert/stored-alert.ts'
import { matchersText } from './matcher/parse.ts'
import type { Route } from './route/route.ts'

/** An alert and what becomes of it, as of the call. */
export interface AlertView {
  readonly alert: StoredAlert
  readonly receivers: readonly string[]
  /** Ids of silences. */
  readonly silencedBy: readonly string[]
  /** Fingerprints of alerts. */
  readonly inhibitedBy: readonly string[]
  /** Names of time intervals; only inside a group, since it is the route that is muted. */
  readonly mutedBy: readonly string[]
}

export interface GroupView {
  readonly key: string
  readonly labels: Labels
  readonly routeLabels: Readonly<Record<string, string>>
  readonly receiver: string
  readonly nextFlushAtMs: number
  readonly alerts: readonly AlertView[]
}

/** Where labels lead: one destination. */
export interface RouteDestination {
  readonly receiver: string
  readonly routeKey: string
  readonly groupKey: string
  readonly groupLabels: Labels
}

export interface AlertmanagerStatus {
  readonly startedAtMs: number
  /** YAML, secrets masked. */
  readonly config: string
  /** The release of the original whose interfaces this one has. */
  readonly version: string
}

/** What one integration answered to a test message. */
export interface TestOutcome {
  readonly integration: string
  readonly index: number
  readonly delivered: boolean
  /** What the other side said. */
  readonly detail: string
  /** '' when all is well. */
  readonly error: string
}

/** A route as it is in force, what it inherits filled in. */
export interface RouteView {
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
  readonly routes: readonly RouteView[]
}

export const routeView = (route: Route): RouteView => ({
  receiver: route.receiver,
  matchers: matchersText(route.matchers),
  key: route.key,
  continue: route.continue,
  groupBy: route.groupByAll ? ['...'] : route.groupBy,
  groupWaitMs: route.groupWaitMs,
  groupIntervalMs: route.groupIntervalMs,
  repeatIntervalMs: route.repeatIntervalMs,
  muteTimeIntervals: route.muteTimeIntervals,
  activeTimeIntervals: route.activeTimeIntervals,
  routes: route.routes.map(routeView),
})
