import { CounterResetHint, type NativeHistogram, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'
import { hasLayoutOf } from '../histogram/codec.ts'
import { BitReader, BitWriter } from './bits.ts'
import { type HistogramLayout, readHistogramLayout, writeHistogramLayout } from './histogram-layout.ts'
import { readVarbitInt, readVarbitUint, writeVarbitInt, writeVarbitUint } from './varbit.ts'
import { XorValue } from './xor-value.ts'

// Format: docs/formats/prometheus-block.md.

/** A histogram sample; without one it is a staleness marker. */
export interface HistogramSample {
  readonly timestampMs: number
  readonly histogram: NativeHistogram | undefined
}

type WrittenSample = HistogramSample & { readonly histogram: NativeHistogram }

const float = new Float64Array(1)
const word = new Uint32Array(float.buffer)

/** Whether a sample may stand in one chunk behind another. */
export function sharesChunk(first: NativeHistogram, next: NativeHistogram): boolean {
  const { GAUGE, NOT_RESET } = CounterResetHint
  if (first.integer !== next.integer || !hasLayoutOf(first, next)) return false
  return first.counterResetHint === GAUGE ? next.counterResetHint === GAUGE : next.counterResetHint === NOT_RESET
}

/**
 * Packs samples that share a chunk.
 *
 * @param isFirst nothing is known about what came before
 */
export function encodeHistogramChunk(samples: readonly WrittenSample[], isFirst: boolean): Uint8Array {
  const { histogram } = samples[0]!
  const out = new BitWriter()
  out.bits(samples.length, 16)
  out.bits(
    isFirst && histogram.counterResetHint === CounterResetHint.NOT_RESET ? 0 : HINT_BITS[histogram.counterResetHint],
    8,
  )
  writeHistogramLayout(out, histogram)
  if (histogram.integer) writeIntegers(out, samples)
  else writeFloats(out, samples)
  return out.bytes()
}

// By `CounterResetHint`.
const HINT_BITS = [0, 0b1000_0000, 0b0100_0000, 0b1100_0000] as const

/** @throws {MalformedBytesError} */
export function decodeHistogramChunk(bytes: Uint8Array, isInteger: boolean): HistogramSample[] {
  const input = new BitReader(bytes, 0)
  const count = input.bits(16)
  const hint = HINT_BITS.indexOf((input.bits(8) & 0xc0) as 0) as CounterResetHint
  if (count === 0) return []
  const layout = readHistogramLayout(input, bytes.length)
  return isInteger ? readIntegers(input, count, layout, hint) : readFloats(input, count, layout, hint)
}

/** Count, zero count, then buckets, each the difference to the one before it. */
function integersOf({ count, zeroCount, positiveBuckets, negativeBuckets }: NativeHistogram): number[] {
  const differences = (buckets: Float64Array): number[] =>
    Array.from(buckets, (bucket, i) => bucket - (buckets[i - 1] ?? 0))
  return [count, zeroCount, ...differences(positiveBuckets), ...differences(negativeBuckets)]
}

function writeIntegers(out: BitWriter, samples: readonly WrittenSample[]): void {
  const sum = new XorValue()
  let time = 0
  let timeDelta = 0
  let numbers: number[] = []
  let deltas: number[] = []
  for (const [i, { timestampMs, histogram }] of samples.entries()) {
    const next = integersOf(histogram)
    const nextDeltas = next.map((value, k) => value - (numbers[k] ?? 0))
    const nextTimeDelta = timestampMs - time
    float[0] = histogram.sum
    if (i === 0) {
      writeVarbitInt(out, timestampMs)
      writeVarbitUint(out, next[0]!)
      writeVarbitUint(out, next[1]!)
      sum.writeFirst(out, word[1]!, word[0]!)
      for (const value of next.slice(2)) writeVarbitInt(out, value)
      deltas = next.map(() => 0)
    } else {
      if (i === 1) writeVarbitUint(out, nextTimeDelta)
      else writeVarbitInt(out, nextTimeDelta - timeDelta)
      const changes = nextDeltas.map((delta, k) => delta - deltas[k]!)
      writeVarbitInt(out, changes[0]!)
      writeVarbitInt(out, changes[1]!)
      sum.write(out, word[1]!, word[0]!)
      for (const change of changes.slice(2)) writeVarbitInt(out, change)
      timeDelta = nextTimeDelta
      deltas = nextDeltas
    }
    time = timestampMs
    numbers = next
  }
}

function readIntegers(
  input: BitReader,
  count: number,
  layout: HistogramLayout,
  hint: CounterResetHint,
): HistogramSample[] {
  const samples: HistogramSample[] = []
  const sum = new XorValue()
  const size = 2 + layout.positiveCount + layout.negativeCount
  const numbers = new Float64Array(size)
  const deltas = new Float64Array(size)
  let time = 0
  let timeDelta = 0
  const read = (k: number): void => {
    deltas[k]! += readVarbitInt(input)
    numbers[k]! += deltas[k]!
  }
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      time = readVarbitInt(input)
      numbers[0] = readVarbitUint(input)
      numbers[1] = readVarbitUint(input)
      sum.readFirst(input)
    } else {
      timeDelta = i === 1 ? readVarbitUint(input) : timeDelta + readVarbitInt(input)
      time += timeDelta
      read(0)
      read(1)
      sum.read(input)
    }
    if (isStale(sum)) {
      samples.push({ timestampMs: time, histogram: undefined })
      continue
    }
    for (let k = 2; k < size; k++) {
      if (i === 0) numbers[k] = readVarbitInt(input)
      else read(k)
    }
    const absolute = numbers.slice()
    for (let k = 3; k < size; k++) if (k !== 2 + layout.positiveCount) absolute[k]! += absolute[k - 1]!
    samples.push({ timestampMs: time, histogram: histogramOf(absolute, sum, layout, { integer: true, hint, i }) })
  }
  return samples
}

function writeFloats(out: BitWriter, samples: readonly WrittenSample[]): void {
  let time = 0
  let timeDelta = 0
  let values: XorValue[] = []
  for (const [i, { timestampMs, histogram }] of samples.entries()) {
    const { count, zeroCount, sum, positiveBuckets, negativeBuckets } = histogram
    const numbers = [count, zeroCount, sum, ...positiveBuckets, ...negativeBuckets]
    if (i === 0) {
      writeVarbitInt(out, timestampMs)
      values = numbers.map(() => new XorValue())
    } else {
      writeVarbitInt(out, timestampMs - time - timeDelta)
      timeDelta = timestampMs - time
    }
    time = timestampMs
    for (const [k, number] of numbers.entries()) {
      float[0] = number
      if (i === 0) values[k]!.writeFirst(out, word[1]!, word[0]!)
      else values[k]!.write(out, word[1]!, word[0]!)
    }
  }
}

function readFloats(
  input: BitReader,
  count: number,
  layout: HistogramLayout,
  hint: CounterResetHint,
): HistogramSample[] {
  const samples: HistogramSample[] = []
  const size = 3 + layout.positiveCount + layout.negativeCount
  const values = Array.from({ length: size }, () => new XorValue())
  let time = 0
  let timeDelta = 0
  for (let i = 0; i < count; i++) {
    if (i === 0) time = readVarbitInt(input)
    else {
      timeDelta += readVarbitInt(input)
      time += timeDelta
    }
    const numbers = new Float64Array(size - 1)
    for (let k = 0; k < size; k++) {
      const value = values[k]!
      if (i === 0) value.readFirst(input)
      else value.read(input)
      if (k === 2 && isStale(value)) break
      word[0] = value.low
      word[1] = value.high
      if (k !== 2) numbers[k < 2 ? k : k - 1] = float[0]!
    }
    const isMarker = isStale(values[2]!)
    samples.push({
      timestampMs: time,
      histogram: isMarker ? undefined : histogramOf(numbers, values[2]!, layout, { integer: false, hint, i }),
    })
  }
  return samples
}

const isStale = ({ low, high }: XorValue): boolean => low === STALE_NAN_LOW && high === STALE_NAN_HIGH

/** @param numbers count, zero count, buckets */
function histogramOf(
  numbers: Float64Array,
  sum: XorValue,
  { positiveCount, negativeCount, ...shape }: HistogramLayout,
  { integer, hint, i }: { integer: boolean; hint: CounterResetHint; i: number },
): NativeHistogram {
  word[0] = sum.low
  word[1] = sum.high
  return {
    integer,
    // Whoever wrote a chunk started a new one at a reset.
    counterResetHint: i === 0 || hint === CounterResetHint.GAUGE ? hint : CounterResetHint.NOT_RESET,
    ...shape,
    count: numbers[0]!,
    zeroCount: numbers[1]!,
    sum: float[0]!,
    positiveBuckets: numbers.slice(2, 2 + positiveCount),
    negativeBuckets: numbers.slice(2 + positiveCount, 2 + positiveCount + negativeCount),
  }
}
