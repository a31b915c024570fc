import { type BucketSpan, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'
import { MalformedBytesError } from '../bytes.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { readVarbitInt, readVarbitUint, writeVarbitInt, writeVarbitUint } from './varbit.ts'

/** What all histograms of a chunk have in common. */
export interface HistogramLayout
  extends Pick<NativeHistogram, 'schema' | 'zeroThreshold' | 'positiveSpans' | 'negativeSpans' | 'customBounds'> {
  readonly positiveCount: number
  readonly negativeCount: number
}

const RAW_THRESHOLD = 255
const THRESHOLD_BIAS = 243
// Bounds that are whole thousandths up to here are written as whole numbers.
const THOUSANDTHS_MAX = 33_554_430

const float = new Float64Array(1)
const word = new Uint32Array(float.buffer)

export function writeHistogramLayout(out: BitWriter, layout: NativeHistogram): void {
  writeZeroThreshold(out, layout.zeroThreshold)
  writeVarbitInt(out, layout.schema)
  for (const spans of [layout.positiveSpans, layout.negativeSpans]) {
    writeVarbitUint(out, spans.length)
    for (const { offset, length } of spans) {
      writeVarbitUint(out, length)
      writeVarbitInt(out, offset)
    }
  }
  if (layout.schema !== CUSTOM_BUCKETS_SCHEMA) return
  writeVarbitUint(out, layout.customBounds.length)
  for (const bound of layout.customBounds) writeBound(out, bound)
}

/** @param bytesLeft of the chunk: it cannot hold more items than bits. @throws {MalformedBytesError} */
export function readHistogramLayout(input: BitReader, bytesLeft: number): HistogramLayout {
  const itemsMax = bytesLeft * 8
  const count = (): number => {
    const value = readVarbitUint(input)
    if (value > itemsMax) throw new MalformedBytesError('a count exceeds the bytes that are left')
    return value
  }
  const zeroThreshold = readZeroThreshold(input)
  const schema = readVarbitInt(input)
  const spans = (): { spans: BucketSpan[]; buckets: number } => {
    let buckets = 0
    const read = Array.from({ length: count() }, () => {
      const length = count()
      buckets += length
      return { length, offset: readVarbitInt(input) }
    })
    if (buckets > itemsMax) throw new MalformedBytesError('a histogram has more buckets than its chunk has bits')
    return { spans: read, buckets }
  }
  const positive = spans()
  const negative = spans()
  const bounds = schema === CUSTOM_BUCKETS_SCHEMA ? Array.from({ length: count() }, () => readBound(input)) : []
  return {
    schema,
    zeroThreshold,
    positiveSpans: positive.spans,
    negativeSpans: negative.spans,
    customBounds: Float64Array.from(bounds),
    positiveCount: positive.buckets,
    negativeCount: negative.buckets,
  }
}

/** Nothing, a power of two from 2^-243 to 2^10, or anything else: one byte for the first two. */
function writeZeroThreshold(out: BitWriter, value: number): void {
  if (value === 0) return out.bits(0, 8)
  const exponent = Math.round(Math.log2(value))
  if (exponent >= -243 && exponent <= 10 && 2 ** exponent === value) {
    return out.bits(exponent + 1 + THRESHOLD_BIAS, 8)
  }
  out.bits(RAW_THRESHOLD, 8)
  writeFloat(out, value)
}

function readZeroThreshold(input: BitReader): number {
  const byte = input.bits(8)
  if (byte === 0) return 0
  return byte === RAW_THRESHOLD ? readFloat(input) : 2 ** (byte - THRESHOLD_BIAS - 1)
}

function writeBound(out: BitWriter, bound: number): void {
  const thousandths = Math.round(bound * 1000)
  if (bound >= 0 && bound * 1000 <= THOUSANDTHS_MAX && thousandths / 1000 === bound && !Object.is(bound, -0)) {
    return writeVarbitUint(out, thousandths + 1)
  }
  out.bits(0, 1)
  writeFloat(out, bound)
}

function readBound(input: BitReader): number {
  const word = readVarbitUint(input)
  return word === 0 ? readFloat(input) : (word - 1) / 1000
}

function writeFloat(out: BitWriter, value: number): void {
  float[0] = value
  out.wide(word[1]!, word[0]!, 64)
}

function readFloat(input: BitReader): number {
  word[0] = input.wide(64)
  word[1] = input.high
  return float[0]!
}
