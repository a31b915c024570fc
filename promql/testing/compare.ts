import type { NativeHistogram } from '../../model/index.ts'
import { type Buckets, negativeOf, positiveOf, sameIndexes, withoutEmpty } from '../histogram/buckets.ts'
import { histogramScriptText } from '../histogram/format.ts'
import type { ScriptHistogram } from './script-histogram.ts'
import type { ScriptValue } from './script-values.ts'

const RELATIVE_TOLERANCE = 1e-6

/** @returns in what a sample differs from what a script wants, or `undefined` */
export function checkSample(
  value: number,
  histogram: NativeHistogram | undefined,
  want: ScriptValue,
): string | undefined {
  const text = histogram === undefined ? String(value) : histogramScriptText(histogram)
  if (want.kind === 'float') {
    const same = histogram === undefined && almostEqual(value, want.value)
    return same ? undefined : `${text} instead of ${want.value}`
  }
  if (want.kind !== 'histogram') return `${text} instead of nothing (${want.kind})`
  if (histogram !== undefined && sameHistogram(histogram, want)) return undefined
  return `${text} instead of ${histogramScriptText(want.histogram)}`
}

/** Empty buckets do not matter, nor does what is known about resets unless the script says it. */
function sameHistogram(actual: NativeHistogram, { histogram: want, hasHint }: ScriptHistogram): boolean {
  return (
    actual.schema === want.schema &&
    (!hasHint || actual.counterResetHint === want.counterResetHint) &&
    almostEqual(actual.count, want.count) &&
    almostEqual(actual.sum, want.sum) &&
    almostEqual(actual.zeroThreshold, want.zeroThreshold) &&
    almostEqual(actual.zeroCount, want.zeroCount) &&
    actual.customBounds.length === want.customBounds.length &&
    actual.customBounds.every((bound, i) => almostEqual(bound, want.customBounds[i]!)) &&
    sameBuckets(withoutEmpty(positiveOf(actual)), withoutEmpty(positiveOf(want))) &&
    sameBuckets(withoutEmpty(negativeOf(actual)), withoutEmpty(negativeOf(want)))
  )
}

const sameBuckets = (a: Buckets, b: Buckets): boolean =>
  sameIndexes(a.indexes, b.indexes) && a.counts.every((count, i) => almostEqual(count, b.counts[i]!))

export function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b)
  if (a === b) return true
  const sum = Math.abs(a) + Math.abs(b)
  const diff = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < Number.MIN_VALUE) return diff < RELATIVE_TOLERANCE * 2.2250738585072014e-308
  return diff / Math.min(sum, Number.MAX_VALUE) < RELATIVE_TOLERANCE
}
