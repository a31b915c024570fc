import { type Clock, errorMessage } from '../../lib/index.ts'
import { DeliveryError, type DeliveryResult } from './notifier.ts'

const BACKOFF_FIRST_MS = 500
const BACKOFF_MAX_MS = 60_000
const BACKOFF_FACTOR = 1.5
const JITTER = 0.5

export interface RetryOutcome {
  readonly attempts: number
  readonly result: DeliveryResult | undefined
  readonly error: DeliveryError | undefined
}

/** When a service said "not before", for all notifications through the integration. */
export interface Pause {
  untilMs: number
}

/**
 * Tries until it works, cannot work, or the deadline passes. Pauses grow by half from 0.5 s to 60 s, spread by ±50 %; a
 * pause that the other side asked for is kept, also by later notifications.
 */
export async function sendWithRetry(options: {
  attempt: () => Promise<DeliveryResult>
  /** @param nextAttemptAtMs when another attempt is due, within the deadline or not */
  onAttempt: (error: DeliveryError | undefined, nextAttemptAtMs: number) => void
  clock: Clock
  deadlineMs: number
  signal: AbortSignal
  pause: Pause
}): Promise<RetryOutcome> {
  const { clock, deadlineMs, signal, pause } = options
  let backoffMs = BACKOFF_FIRST_MS
  let last: DeliveryError | undefined
  for (let attempts = 0; ; ) {
    const stop = blocked(clock.nowMs(), pause.untilMs, deadlineMs, signal, last)
    if (stop) return { attempts, result: undefined, error: stop }
    if (pause.untilMs > clock.nowMs()) {
      await sleepUntil(clock, pause.untilMs, signal)
      continue
    }
    attempts++
    try {
      const result = await options.attempt()
      options.onAttempt(undefined, 0)
      return { attempts, result, error: undefined }
    } catch (thrown) {
      last = asDeliveryError(thrown)
    }
    if (last.retryAfterMs !== undefined) pause.untilMs = clock.nowMs() + last.retryAfterMs
    const delayMs = Math.round(backoffMs * (1 - JITTER + 2 * JITTER * Math.random()))
    options.onAttempt(last, Math.max(clock.nowMs() + delayMs, pause.untilMs))
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
  last: DeliveryError | undefined,
): DeliveryError | undefined {
  const because = last ? `; last failure: ${last.message}` : ''
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

/** Ends early when the signal aborts. */
export function sleepUntil(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  if (atMs <= clock.nowMs() || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.schedule(atMs - clock.nowMs(), finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}
