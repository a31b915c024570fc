import {
  CUSTOM_BUCKETS_SCHEMA,
  type BucketSpan,
  type CounterResetHint,
  type NativeHistogram,
} from '../../model/index.ts'
import { type ByteReader, type ByteWriter, MalformedBytesError } from '../bytes.ts'
import { readFloats, readWholes, writeFloats, writeWholes } from './number-runs.ts'

// Format: docs/formats/histogram.md.
const Flag = { INTEGER: 1, SAME_LAYOUT: 8, WHOLE: 16 } as const
const HINT_SHIFT = 1
const WHOLE_MAX = 2 ** 51

/** A histogram sample and when it was taken. */
export interface TimedHistogram {
  readonly timestampMs: number
  readonly histogram: NativeHistogram
}

/** What a record builds on: the one before it in its run. */
interface Previous {
  readonly timestampMs: number
  readonly histogram: NativeHistogram
  readonly numbers: Float64Array
  readonly isWhole: boolean
}

/** Writes a run of histogram records; each builds on the one before. */
export class HistogramEncoder {
  #previous: Previous | undefined

  write(out: ByteWriter, timestampMs: number, histogram: NativeHistogram): void {
    const previous = this.#previous
    const numbers = numbersOf(histogram)
    const isWhole = numbers.every(isSmallWhole)
    const isSame = previous !== undefined && isWhole === previous.isWhole && hasLayoutOf(previous.histogram, histogram)
    out.u8(
      (histogram.integer ? Flag.INTEGER : 0) |
        (histogram.counterResetHint << HINT_SHIFT) |
        (isSame ? Flag.SAME_LAYOUT : 0) |
        (isWhole ? Flag.WHOLE : 0),
    )
    writeZigzag(out, timestampMs - (previous?.timestampMs ?? 0))
    if (!isSame) writeLayout(out, histogram)
    writeFloats(out, Float64Array.of(histogram.sum), Float64Array.of(previous?.histogram.sum ?? 0))
    const base = isSame ? previous.numbers : new Float64Array(numbers.length)
    if (isWhole) writeWholes(out, numbers, base)
    else writeFloats(out, numbers, base)
    this.#previous = { timestampMs, histogram, numbers, isWhole }
  }
}

/** Reads a run of histogram records. Samples of one layout share its arrays. */
export class HistogramDecoder {
  #previous: Previous | undefined

  /** @throws {MalformedBytesError} */
  read(reader: ByteReader): TimedHistogram {
    const flags = reader.u8()
    const previous = this.#previous
    const isSame = (flags & Flag.SAME_LAYOUT) !== 0
    const isWhole = (flags & Flag.WHOLE) !== 0
    if (isSame && previous === undefined) throw new MalformedBytesError('the first histogram has no layout')
    const timestampMs = (previous?.timestampMs ?? 0) + readZigzag(reader)
    const layout = isSame ? layoutOf(previous!.histogram) : readLayout(reader)
    const sum = readFloats(reader, Float64Array.of(previous?.histogram.sum ?? 0))[0]!
    const base = isSame ? previous!.numbers : new Float64Array(2 + layout.positiveCount + layout.negativeCount)
    const numbers = isWhole ? readWholes(reader, base) : readFloats(reader, base)
    const { positiveCount, negativeCount, ...shape } = layout
    const histogram: NativeHistogram = {
      integer: (flags & Flag.INTEGER) !== 0,
      counterResetHint: ((flags >> HINT_SHIFT) & 3) as CounterResetHint,
      ...shape,
      zeroCount: numbers[1]!,
      count: numbers[0]!,
      sum,
      positiveBuckets: numbers.slice(2, 2 + positiveCount),
      negativeBuckets: numbers.slice(2 + positiveCount, 2 + positiveCount + negativeCount),
    }
    this.#previous = { timestampMs, histogram, numbers, isWhole }
    return { timestampMs, histogram }
  }
}

interface Layout {
  readonly schema: number
  readonly zeroThreshold: number
  readonly positiveSpans: readonly BucketSpan[]
  readonly negativeSpans: readonly BucketSpan[]
  readonly customBounds: Float64Array
  readonly positiveCount: number
  readonly negativeCount: number
}

function layoutOf(histogram: NativeHistogram): Layout {
  const { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds } = histogram
  const positiveCount = histogram.positiveBuckets.length
  const negativeCount = histogram.negativeBuckets.length
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds, positiveCount, negativeCount }
}

/** Count, zero count, positive and negative buckets. */
function numbersOf({ count, zeroCount, positiveBuckets, negativeBuckets }: NativeHistogram): Float64Array {
  const numbers = new Float64Array(2 + positiveBuckets.length + negativeBuckets.length)
  numbers[0] = count
  numbers[1] = zeroCount
  numbers.set(positiveBuckets, 2)
  numbers.set(negativeBuckets, 2 + positiveBuckets.length)
  return numbers
}

const isSmallWhole = (value: number): boolean =>
  Number.isInteger(value) && Math.abs(value) < WHOLE_MAX && !Object.is(value, -0)

/** Whether two samples say the same; what is known about resets does not count. */
export function isSameHistogram(a: NativeHistogram, b: NativeHistogram): boolean {
  if (a.integer !== b.integer || !Object.is(a.sum, b.sum) || !hasLayoutOf(a, b)) return false
  const numbers = numbersOf(b)
  return numbersOf(a).every((value, i) => Object.is(value, numbers[i]))
}

/** Whether the same buckets are counted. */
export function hasLayoutOf(a: NativeHistogram, b: NativeHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.zeroThreshold, b.zeroThreshold) &&
    a.positiveBuckets.length === b.positiveBuckets.length &&
    a.negativeBuckets.length === b.negativeBuckets.length &&
    areSameSpans(a.positiveSpans, b.positiveSpans) &&
    areSameSpans(a.negativeSpans, b.negativeSpans) &&
    areSameBounds(a.customBounds, b.customBounds)
  )
}

function areSameSpans(a: readonly BucketSpan[], b: readonly BucketSpan[]): boolean {
  if (a === b) return true
  return a.length === b.length && a.every((span, i) => span.offset === b[i]!.offset && span.length === b[i]!.length)
}

export function areSameBounds(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => Object.is(bound, b[i]!)))
}

function writeLayout(out: ByteWriter, histogram: NativeHistogram): void {
  const { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds } = histogram
  writeZigzag(out, schema)
  out.f64(zeroThreshold)
  for (const [spans, buckets] of [
    [positiveSpans, histogram.positiveBuckets],
    [negativeSpans, histogram.negativeBuckets],
  ] as const) {
    out.varint(spans.length)
    for (const { offset, length } of spans) {
      writeZigzag(out, offset)
      out.varint(length)
    }
    out.varint(buckets.length)
  }
  if (schema !== CUSTOM_BUCKETS_SCHEMA) return
  out.varint(customBounds.length)
  for (const bound of customBounds) out.f64(bound)
}

const BUCKETS_MAX = 1 << 20

function readLayout(reader: ByteReader): Layout {
  const schema = readZigzag(reader)
  const zeroThreshold = reader.f64()
  const readSpans = (): { spans: BucketSpan[]; count: number } => {
    const spans = Array.from({ length: reader.count(2) }, () => ({
      offset: readZigzag(reader),
      length: reader.varint(),
    }))
    const count = reader.varint()
    if (count > BUCKETS_MAX) throw new MalformedBytesError('a histogram has too many buckets')
    return { spans, count }
  }
  const positive = readSpans()
  const negative = readSpans()
  const boundCount = schema === CUSTOM_BUCKETS_SCHEMA ? reader.count(8) : 0
  return {
    schema,
    zeroThreshold,
    positiveSpans: positive.spans,
    negativeSpans: negative.spans,
    customBounds: Float64Array.from({ length: boundCount }, () => reader.f64()),
    positiveCount: positive.count,
    negativeCount: negative.count,
  }
}

const writeZigzag = (out: ByteWriter, value: number): void => out.varint(value < 0 ? -2 * value - 1 : 2 * value)

function readZigzag(reader: ByteReader): number {
  const word = reader.varint()
  return word % 2 === 0 ? word / 2 : -(word + 1) / 2
}
