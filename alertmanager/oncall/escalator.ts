import type { Clock, Logger } from '../../lib/index.ts'
import type { Acknowledgements } from '../ack/acknowledgements.ts'
import type { AlertGroup, GroupFlush } from '../dispatch/alert-group.ts'
import { isResolved } from '../alert/stored-alert.ts'
import type { FlushFacts } from '../notify/duty.ts'
import type { StateLog } from '../store/state-log.ts'
import { type Escalation, type Escalations, escalationKey } from './escalations.ts'
import type { EscalationPolicy, EscalationStep } from './types.ts'

/** What one step has come to. `muted` = nothing of the group may be told now. */
export type StepOutcome = 'told' | 'muted' | { readonly error: string }

export interface StepNotice {
  readonly group: AlertGroup
  readonly step: EscalationStep
  /** The same for the same step of the same round, over restarts. */
  readonly mark: string
  /** When the escalation began. */
  readonly sinceMs: number
  readonly deadlineMs: number
  /** Aborted when no further attempt may begin. */
  readonly signal: AbortSignal
}

export interface EscalatorOptions {
  readonly policyOf: (receiver: string) => EscalationPolicy | undefined
  readonly groupOf: (groupKey: string, receiver: string) => AlertGroup | undefined
  /** Never rejects. */
  readonly tell: (notice: StepNotice) => Promise<StepOutcome>
  readonly escalations: Escalations
  readonly acknowledgements: Acknowledgements
  readonly log: () => StateLog
  readonly clock: Clock
  readonly logger: Logger
  readonly onStep: (receiver: string, outcome: 'told' | 'failed') => void
}

const STEP_TIME_MIN_MS = 10_000
const STEP_TIME_MAX_MS = 5 * 60_000

/**
 * Goes on to the next people while a group fires and nobody has acknowledged it. An acknowledgement stops it for as long as it
 * lasts, a resolve for good, a mute until it is over.
 */
export class Escalator {
  readonly #options: EscalatorOptions
  readonly #timers = new Map<string, () => void>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #abort = new AbortController()

  constructor(options: EscalatorOptions) {
    this.#options = options
  }

  /** Takes up what was under way before a restart or a reload. No step begins before `holdUntilMs`. */
  start(holdUntilMs: number): void {
    for (const escalation of this.#options.escalations.all()) {
      const { groupKey, receiver } = escalation
      if (!this.#options.groupOf(groupKey, receiver)) this.#end(escalation)
      else if (this.#options.policyOf(receiver)) this.#arm(escalation, holdUntilMs)
    }
  }

  /** To be told of every flush, after it. */
  flushed(flush: GroupFlush, { audibleCount, reached, isDone }: FlushFacts): void {
    const { receiver } = flush.route
    const policy = this.#options.policyOf(receiver)
    const known = this.#options.escalations.get(flush.groupKey, receiver)
    if (this.#abort.signal.aborted) return
    if (flush.alerts.every(({ resolved }) => resolved)) {
      // Until those whom the steps told have heard that it is over, they must be known.
      if (known && isDone) this.#end(known)
      return
    }
    if (!policy || (!known && audibleCount === 0)) return
    if (!known) this.#begin(flush, policy)
    if (reached === false) this.unreached(flush.groupKey, receiver, receiver)
    if (known) this.wake(flush.groupKey, receiver)
  }

  /**
   * Whoever was to be told through `toldReceiver` was not reached. If that was the latest step, the next need not wait; another
   * round does all the same.
   */
  unreached(groupKey: string, receiver: string, toldReceiver: string): void {
    const escalation = this.#options.escalations.get(groupKey, receiver)
    const policy = this.#options.policyOf(receiver)
    if (escalation?.nextAtMs === undefined || escalation.step === 0 || !policy?.skipsFailures) return
    if (stepOf(policy, { receiver, step: escalation.step - 1 })?.receiver !== toldReceiver) return
    const nowMs = this.#options.clock.nowMs()
    if (escalation.nextAtMs > nowMs) this.#put({ ...escalation, nextAtMs: nowMs })
    this.wake(groupKey, receiver)
  }

  /** Looks again, for example after an acknowledgement was withdrawn. */
  wake(groupKey: string, receiver: string): void {
    const escalation = this.#options.escalations.get(groupKey, receiver)
    if (escalation && !this.#running.has(escalationKey(groupKey, receiver))) this.#arm(escalation, 0)
  }

  /** The group is no more. */
  groupGone(groupKey: string, receiver: string): void {
    const escalation = this.#options.escalations.get(groupKey, receiver)
    if (escalation && !this.#abort.signal.aborted) this.#end(escalation)
  }

  /** Begins no further step; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#abort.abort()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    await Promise.all(this.#running.values())
  }

  #begin({ groupKey, route, tickAtMs }: GroupFlush, policy: EscalationPolicy): void {
    const escalation: Escalation = {
      groupKey,
      receiver: route.receiver,
      startedAtMs: tickAtMs,
      round: 0,
      step: 1,
      nextAtMs: tickAtMs + policy.steps[0]!.afterMs,
      told: [],
      lastError: '',
    }
    this.#put(escalation)
    this.#arm(escalation, 0)
  }

  #arm({ groupKey, receiver, nextAtMs }: Escalation, holdUntilMs: number): void {
    const { clock, acknowledgements } = this.#options
    const key = escalationKey(groupKey, receiver)
    this.#timers.get(key)?.()
    this.#timers.delete(key)
    if (nextAtMs === undefined || this.#abort.signal.aborted) return
    const acknowledged = acknowledgements.get(groupKey, clock.nowMs())
    const atMs = Math.max(nextAtMs, acknowledged?.untilMs ?? 0, holdUntilMs)
    const cancel = clock.schedule(Math.max(0, atMs - clock.nowMs()), () => {
      this.#timers.delete(key)
      const running = this.#run(groupKey, receiver).finally(() => this.#running.delete(key))
      this.#running.set(key, running)
    })
    this.#timers.set(key, cancel)
  }

  async #run(groupKey: string, receiver: string): Promise<void> {
    const { escalations, acknowledgements, clock, groupOf, policyOf, logger } = this.#options
    const escalation = escalations.get(groupKey, receiver)
    const policy = policyOf(receiver)
    const group = groupOf(groupKey, receiver)
    if (!escalation || !policy || !group || escalation.nextAtMs === undefined) return
    // Acknowledged meanwhile, for example at another instance: every flush looks again.
    if (acknowledgements.get(groupKey, clock.nowMs())) return this.#arm(escalation, 0)
    if (group.alerts().every((alert) => isResolved(alert, clock.nowMs()))) return
    const step = stepOf(policy, escalation)
    // The configuration has lost steps since.
    if (!step) return this.#put({ ...escalation, nextAtMs: undefined })
    const next = following(policy, escalation, clock.nowMs())
    const untilNextMs = (next.nextAtMs ?? Number.POSITIVE_INFINITY) - clock.nowMs()
    const outcome = await this.#options.tell({
      group,
      step,
      mark: `${escalation.round}.${escalation.step}`,
      sinceMs: escalation.startedAtMs,
      deadlineMs: clock.nowMs() + Math.min(STEP_TIME_MAX_MS, Math.max(STEP_TIME_MIN_MS, untilNextMs)),
      signal: this.#abort.signal,
    })
    // Resolved meanwhile, or stopped in the middle: the step is taken again after the restart.
    const current = escalations.get(groupKey, receiver)
    if (!current || this.#abort.signal.aborted || outcome === 'muted') return
    const failed = outcome === 'told' ? undefined : outcome.error
    this.#options.onStep(step.receiver, failed === undefined ? 'told' : 'failed')
    if (failed !== undefined)
      logger.error({ groupKey, receiver: step.receiver, failed }, 'Escalation step reached nobody')
    const isSkipped = failed !== undefined && policy.skipsFailures && next.step !== 0
    const after: Escalation = {
      ...current,
      ...next,
      nextAtMs: next.nextAtMs !== undefined && isSkipped ? clock.nowMs() : next.nextAtMs,
      told: [...new Set([...current.told, step.receiver])],
      lastError: failed ?? '',
    }
    this.#put(after)
    this.#arm(after, 0)
  }

  #put(escalation: Escalation): void {
    this.#options.escalations.put(escalation, this.#options.log())
    this.#commit()
  }

  #end({ groupKey, receiver }: Escalation): void {
    const key = escalationKey(groupKey, receiver)
    this.#timers.get(key)?.()
    this.#timers.delete(key)
    this.#options.escalations.remove(groupKey, receiver, this.#options.log())
    this.#commit()
  }

  #commit(): void {
    this.#options
      .log()
      .commit()
      .catch((err: unknown) => this.#options.logger.error({ err }, 'Escalation could not be kept'))
  }
}

/** Step 0 is the receiver itself, with what it sends anyway. */
export function stepOf(
  policy: EscalationPolicy,
  { receiver, step }: Pick<Escalation, 'receiver' | 'step'>,
): EscalationStep | undefined {
  if (step === 0) return { receiver, afterMs: policy.repeatAfterMs, schedule: undefined, people: [] }
  return policy.steps[step - 1]
}

function following(
  policy: EscalationPolicy,
  { round, step }: Escalation,
  nowMs: number,
): Pick<Escalation, 'round' | 'step' | 'nextAtMs'> {
  if (step < policy.steps.length) return { round, step: step + 1, nextAtMs: nowMs + policy.steps[step]!.afterMs }
  if (round < policy.repeat) return { round: round + 1, step: 0, nextAtMs: nowMs + policy.repeatAfterMs }
  return { round, step, nextAtMs: undefined }
}
