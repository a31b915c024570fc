import {
  DuplicateSampleError,
  type Labels,
  labelsText,
  OutOfBoundsError,
  OutOfOrderSampleError,
} from '../../model/index.ts'
import type { Head } from './head.ts'

/** What becomes of a sample that is not newer than what its series has, samples of the same batch included. */
export const Verdict = {
  /** It is stored behind newer ones. */
  LATE: 0,
  /** Its time is the newest one's that was stored before the batch: it is that sample, or a fault. */
  AT_NEWEST: 1,
  /** Only samples of the same batch are in its way: the first of a time stays. */
  SECOND_IN_BATCH: 2,
  BEHIND_IN_BATCH: 3,
  OUT_OF_ORDER: 4,
  OUT_OF_BOUNDS: 5,
  TOO_OLD: 6,
} as const
export type Verdict = (typeof Verdict)[keyof typeof Verdict]

export type SampleType = 'float' | 'histogram'

/**
 * @param newestBeforeMs time of the series' newest sample that the batch did not bring
 * @param newestMs of its newest sample
 */
export function verdictOf(
  { oldestAppendableMs, outOfOrderWindowMs, newestMs: headNewestMs }: Head,
  timestampMs: number,
  newestBeforeMs: number,
  newestMs: number,
): Verdict {
  const hasWindow = outOfOrderWindowMs > 0
  const isInWindow = hasWindow && timestampMs >= headNewestMs - outOfOrderWindowMs
  const isAppendable = timestampMs >= oldestAppendableMs
  if (isAppendable && timestampMs === newestBeforeMs) return Verdict.AT_NEWEST
  if (isAppendable && timestampMs > newestBeforeMs) {
    if (timestampMs === newestMs) return Verdict.SECOND_IN_BATCH
    return isInWindow ? Verdict.LATE : Verdict.BEHIND_IN_BATCH
  }
  if (isInWindow) return Verdict.LATE
  if (hasWindow) return Verdict.TOO_OLD
  return isAppendable ? Verdict.OUT_OF_ORDER : Verdict.OUT_OF_BOUNDS
}

/** Counts what a batch leaves out. */
export function countLeftOut(head: Head, verdict: Verdict, type: SampleType): void {
  if (verdict !== Verdict.BEHIND_IN_BATCH) return
  const counts = head.outOfOrderWindowMs > 0 ? head.tooOldSamples : head.outOfOrderSamples
  counts[type]++
}

/** The error that a sample is refused with; it is counted. */
export function refusal(head: Head, verdict: Verdict, labels: Labels, timestampMs: number, type: SampleType): Error {
  const sample = `${labelsText(labels)} at ${timestampMs}`
  if (verdict === Verdict.AT_NEWEST) {
    return new DuplicateSampleError(`duplicate sample for timestamp: ${sample} is stored with another value`)
  }
  if (verdict === Verdict.OUT_OF_ORDER) {
    head.outOfOrderSamples[type]++
    return new OutOfOrderSampleError(`out of order sample: ${sample} is older than the newest of its series`)
  }
  if (verdict === Verdict.TOO_OLD) {
    head.tooOldSamples[type]++
    return new OutOfBoundsError(`too old sample: ${sample} is behind the window`)
  }
  head.outOfBoundsSamples[type]++
  const { oldestAppendableMs } = head
  const isOld = timestampMs < oldestAppendableMs
  const why = isOld ? `older than what is still taken (${oldestAppendableMs})` : 'too far in the future'
  return new OutOfBoundsError(`out of bounds: ${sample} is ${why}`)
}
