import type { GroupFlush } from '../dispatch/alert-group.ts'
import type { MutedResolved, Person } from '../oncall/types.ts'
import type { Integration, SentMessage } from './notifier.ts'

/** What the pipeline asks of, and tells, the part about people on call. */
export interface Duty {
  /** In place of the receiver's own recipients; `undefined` = they stay. Nobody = nobody is on call now. */
  peopleFor(receiver: string, atMs: number): readonly Person[] | undefined
  /** By name; who has left is left out. */
  people(names: readonly string[]): readonly Person[]
  /** Receivers that steps of an escalation have told about the group. */
  toldBySteps(groupKey: string, receiver: string): readonly string[]
  readonly mutedResolved: MutedResolved
  /** After each flush; see `Escalator.flushed`. */
  flushed(flush: GroupFlush, facts: FlushFacts): void
  /** A message that a provider has taken; the caller commits. */
  sent(target: Integration, groupKey: string, message: SentMessage): void
}

/** What a flush has come to. */
export interface FlushFacts {
  /** Firing alerts that no mute kept back. */
  readonly audibleCount: number
  /** Whether the receiver's own notification reached somebody; `undefined` = there was nothing to tell. */
  readonly reached: boolean | undefined
  /** Nothing is left to be told. */
  readonly isDone: boolean
}

/** Why an integration is asked to tell. */
export type Errand =
  /** The group's own tick: whatever the notification log says is new. */
  | { readonly kind: 'tick'; readonly anew: ReadonlySet<string> }
  /** Somebody whom an escalation has told hears that all is over. */
  | { readonly kind: 'over' }
  /** That alerts flap and are held from now on. */
  | { readonly kind: 'flapping' }
  | StepErrand

/** A step of an escalation. */
export interface StepErrand {
  readonly kind: 'step'
  /** The same for the same step, over restarts. */
  readonly mark: string
  readonly sinceMs: number
  readonly people: readonly Person[] | undefined
  /** Takes why somebody could not be told. */
  readonly errors: string[]
}
