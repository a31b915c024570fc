import {
  CounterResetHint,
  NativeFields,
  type NativeHistogram,
  type ProtoReader,
  readDoubles,
} from '../../model/index.ts'

export interface HistogramSample {
  readonly timestampMs: number
  readonly histogram: NativeHistogram
}

const HINTS: readonly CounterResetHint[] = [
  CounterResetHint.UNKNOWN,
  CounterResetHint.RESET,
  CounterResetHint.NOT_RESET,
  CounterResetHint.GAUGE,
]

/** A `Histogram` message of remote write, whose fields are the same in both versions. */
export function readHistogramSample(reader: ProtoReader): HistogramSample {
  const outer = reader.open()
  const native = new NativeFields()
  const customBounds: number[] = []
  let timestampMs = 0
  let isFloat = false
  let count = 0
  let sum = 0
  let resetHint = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8 || tag === 17) {
      isFloat = tag === 17
      count = isFloat ? reader.double() : reader.uint64()
    } else if (tag === 25) sum = reader.double()
    else if (tag === 112) resetHint = reader.uint32()
    else if (tag === 120) timestampMs = reader.int64()
    else if (tag === 129 || tag === 130) readDoubles(reader, tag, customBounds)
    else if (!native.take(reader, tag)) reader.skip(tag)
  }
  reader.close(outer)
  const counterResetHint = HINTS[resetHint] ?? CounterResetHint.UNKNOWN
  const totals = { isFloat, count, sum, counterResetHint, customBounds: Float64Array.from(customBounds) }
  return { timestampMs, histogram: native.histogram(totals) }
}
