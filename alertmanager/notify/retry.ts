import { type Clock, errorMessage } from '../../lib/index.ts'
import type { StartLimiter } from '../dispatch/start-limiter.ts'
import type { Destination } from './destination.ts'
import { DeliveryError, type DeliveryResult } from './notifier.ts'
import { sleepUntil } from './sleep.ts'

const BACKOFF_FIRST_MS = 500
const BACKOFF_MAX_MS = 60_000
const BACKOFF_FACTOR = 1.5
const JITTER = 0.5

export interface RetryOutcome {
  readonly attempts: number
  readonly result: DeliveryResult | undefined
  readonly error: DeliveryError | undefined
}

/**
 * Tries until it works, cannot work, or the deadline passes. Pauses grow by half from 0.5 s to 60 s, spread by ±50 %; a
 * pause that the other side asked for is kept, also by later notifications, and while it fails they stand in line before it.
 */
export async function sendWithRetry(options: {
  attempt: () => Promise<DeliveryResult>
  /** While others stand before it. @param failure why the last attempt of whoever failed */
  onWait: (failure: string) => void
  /** @param nextAttemptAtMs when another attempt is due, within the deadline or not */
  onAttempt: (error: DeliveryError | undefined, nextAttemptAtMs: number) => void
  clock: Clock
  deadlineMs: number
  signal: AbortSignal
  destination: Destination
  /** A great many at once must leave others their turns. */
  starts: StartLimiter
}): Promise<RetryOutcome> {
  const { clock, deadlineMs, signal, destination } = options
  let backoffMs = BACKOFF_FIRST_MS
  let last: DeliveryError | undefined
  for (let attempts = 0; ; ) {
    const turn = destination.turn(clock, signal)
    if (turn !== undefined) options.onWait(destination.failure ?? '')
    await turn
    await options.starts.turn()
    const cause = last?.message ?? destination.failure
    const stop = blocked(clock.nowMs(), destination.pausedUntilMs, deadlineMs, signal, cause)
    if (stop) return { attempts, result: undefined, error: stop }
    if (destination.pausedUntilMs > clock.nowMs()) {
      await sleepUntil(clock, destination.pausedUntilMs, signal)
      continue
    }
    attempts++
    try {
      const result = await options.attempt()
      destination.tried(undefined)
      options.onAttempt(undefined, 0)
      return { attempts, result, error: undefined }
    } catch (thrown) {
      last = asDeliveryError(thrown)
    }
    // What is refused for good, perhaps by ourselves and unsent, says nothing about the others.
    if (last.retryable) destination.tried(last.message)
    if (last.retryAfterMs !== undefined) destination.pausedUntilMs = clock.nowMs() + last.retryAfterMs
    const delayMs = Math.round(backoffMs * (1 - JITTER + 2 * JITTER * Math.random()))
    options.onAttempt(last, Math.max(clock.nowMs() + delayMs, destination.pausedUntilMs))
    if (!last.retryable) return { attempts, result: undefined, error: last }
    if (clock.nowMs() + delayMs >= deadlineMs) return { attempts, result: undefined, error: last }
    await sleepUntil(clock, clock.nowMs() + delayMs, signal)
    backoffMs = Math.min(backoffMs * BACKOFF_FACTOR, BACKOFF_MAX_MS)
  }
}

/** Why no further attempt may begin, told with the last failure so that the cause stays visible. */
function blocked(
  nowMs: number,
  pauseUntilMs: number,
  deadlineMs: number,
  signal: AbortSignal,
  cause: string | undefined,
): DeliveryError | undefined {
  const because = cause === undefined ? '' : `; last failure: ${cause}`
  if (signal.aborted)
    return new DeliveryError(`stopped before it was delivered${because}`, {
      reason: 'contextCanceled',
      retryable: false,
    })
  if (pauseUntilMs > nowMs && pauseUntilMs >= deadlineMs)
    return new DeliveryError(
      `the service asks for a pause of ${Math.ceil((pauseUntilMs - nowMs) / 1000)} s${because}`,
      {
        reason: 'rateLimited',
        retryable: false,
      },
    )
  if (nowMs >= deadlineMs)
    return new DeliveryError(`not delivered in time${because}`, { reason: 'contextDeadlineExceeded', retryable: false })
  return undefined
}

function asDeliveryError(thrown: unknown): DeliveryError {
  if (thrown instanceof DeliveryError) return thrown
  return new DeliveryError(errorMessage(thrown), { reason: 'other', retryable: false }, { cause: thrown })
}
