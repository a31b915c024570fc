import type { HttpClientConfig } from '../../lib/index.ts'
import type { Labels, Matcher } from '../../model/index.ts'
import type { Secret } from '../config/types.ts'
import type { TimeInterval } from '../route/time-interval.ts'

/** What `belltower.on_call` says, beside the Alertmanager's own file. Everything in it is off when it is absent. */
export interface OnCallConfig {
  readonly people: ReadonlyMap<string, Person>
  readonly schedules: ReadonlyMap<string, Schedule>
  /** By the receiver's name. */
  readonly receivers: ReadonlyMap<string, ReceiverPolicy>
  readonly heartbeats: readonly HeartbeatConfig[]
  readonly expectedHeartbeats: readonly ExpectedHeartbeat[]
  readonly flapDamping: readonly FlapRule[]
  readonly mutedResolved: MutedResolved
}

/**
 * What becomes of a resolve that happens while its alert is muted: `drop` as in the original, `after` tells it at the first
 * tick without the mute, `through` tells it at once. Both go only to those who were told of firing.
 */
export type MutedResolved = 'drop' | 'after' | 'through'

/** How a person is reached, by kind of integration. */
export type ContactKind = 'email' | 'phone' | 'telegram' | 'pushover' | 'ntfy'

export interface Person {
  readonly name: string
  readonly contacts: Readonly<Partial<Record<ContactKind, string>>>
}

export interface Schedule {
  readonly name: string
  /** IANA name. */
  readonly timeZone: string
  /** A later layer goes before an earlier one wherever it has somebody. */
  readonly layers: readonly Layer[]
  /** Of the file; those that were made through the API are kept in the state. */
  readonly overrides: readonly OverrideFacts[]
}

export interface Layer {
  readonly name: string
  /** Turns in order; each names everybody who is on duty together. */
  readonly turns: readonly (readonly string[])[]
  /** First hand-over as a wall clock shows it: what would be Unix milliseconds if the zone were UTC. */
  readonly startWallMs: number
  /** Exclusive, likewise. */
  readonly endWallMs: number | undefined
  /** By the wall clock: a week stays a week over a change of the clocks. */
  readonly turnMs: number
  /** Only inside these; empty = always. */
  readonly active: readonly TimeInterval[]
}

export interface OverrideFacts {
  /** Nobody = the schedule is empty for that time. */
  readonly people: readonly string[]
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
  readonly comment: string
}

export interface ReceiverPolicy {
  readonly receiver: string
  /** Whose people replace the recipients in the receiver's integrations; `undefined` = they stay as they are. */
  readonly schedule: string | undefined
  readonly escalation: EscalationPolicy | undefined
}

export interface EscalationPolicy {
  /** In order; what the route itself sends goes before the first. */
  readonly steps: readonly EscalationStep[]
  /** How often all is gone through again, the receiver itself first. */
  readonly repeat: number
  /** From the last step to the receiver's own turn in the next round. */
  readonly repeatAfterMs: number
  /** Whether the next step comes at once when nobody could be reached. */
  readonly skipsFailures: boolean
}

export interface EscalationStep {
  readonly receiver: string
  /** Since the step before. */
  readonly afterMs: number
  /** Who is told in place of the receiver's own recipients: a schedule's people, or these. */
  readonly schedule: string | undefined
  readonly people: readonly string[]
}

/** A sign of life to an outside service, for as long as everything works. */
export interface HeartbeatConfig {
  readonly name: string
  readonly url: Secret
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Sent as it is; '' with GET. */
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly intervalMs: number
  /** The alert that always fires. */
  readonly matchers: readonly Matcher[]
  /** The alert must have been renewed within this time. */
  readonly staleAfterMs: number
  /** A notification that cannot be delivered for this long stops the sign. 0 = it does not. */
  readonly undeliveredAfterMs: number
  readonly http: HttpClientConfig
}

/** A sign of life that somebody else is to give; an alert fires while it stays away. */
export interface ExpectedHeartbeat {
  readonly name: string
  /** Given by an alert that fires; empty = by a request to the API. */
  readonly matchers: readonly Matcher[]
  /** Missing after this time and the grace together. */
  readonly intervalMs: number
  readonly graceMs: number
  /** What a request has to show; `undefined` = nothing. */
  readonly token: Secret | undefined
  /** Of the alert. */
  readonly labels: Labels
  readonly annotations: Labels
}

/** Alerts that change their state too often are held until they are stable. The first rule that matches counts. */
export interface FlapRule {
  readonly matchers: readonly Matcher[]
  /** Held when there are more in the window. */
  readonly changesMax: number
  readonly windowMs: number
  /** Let go after this long without a change. */
  readonly stableForMs: number
}
