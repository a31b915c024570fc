import { AppError } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { IncomingAlert } from './stored-alert.ts'

/** An alert that arrives. `undefined` or 0 is a time that was not given. */
export interface AlertInput {
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs?: number | undefined
  readonly endsAtMs?: number | undefined
  readonly generatorUrl: string
  /** Of the labels, where it is known already. */
  readonly fingerprint?: string | undefined
}

/** An alert that cannot be taken: without labels, with bad names or impossible times. */
export class InvalidAlertError extends AppError {
  override readonly code = 'ERR_ALERT_INVALID'
  override readonly httpStatus = 400
}

/** Fills in what the sender left out. @throws {InvalidAlertError} */
export function toStoredAlert(input: AlertInput, nowMs: number, resolveTimeoutMs: number): IncomingAlert {
  const { labels, annotations, generatorUrl } = input
  if (labels.length === 0) throw new InvalidAlertError('at least one label pair required')
  if (labels.includes('') && labels.indexOf('') % 2 === 0)
    throw new InvalidAlertError('invalid label set: invalid name ""')
  const givenEndMs = input.endsAtMs || undefined
  const startsAtMs = input.startsAtMs || Math.min(nowMs, givenEndMs ?? nowMs)
  const endsAtMs = givenEndMs ?? nowMs + resolveTimeoutMs
  if (endsAtMs < startsAtMs) throw new InvalidAlertError('start time must be before end time')
  return {
    fingerprint: input.fingerprint ?? fingerprintOf(labels),
    labels,
    annotations,
    startsAtMs,
    endsAtMs,
    updatedAtMs: nowMs,
    generatorUrl,
    timeout: givenEndMs === undefined,
  }
}
