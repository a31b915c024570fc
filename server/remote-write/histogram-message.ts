import {
  type BucketSpan,
  countsOfDeltas,
  CounterResetHint,
  type NativeHistogram,
  type ProtoReader,
  readDoubles,
  readSint64s,
  readSpan,
  spansOf,
} from '../../model/index.ts'

export interface HistogramSample {
  readonly timestampMs: number
  readonly histogram: NativeHistogram
}

class Fields {
  timestampMs = 0
  isFloat = false
  count = 0
  sum = 0
  schema = 0
  zeroThreshold = 0
  zeroCount = 0
  resetHint = 0
  readonly positiveSpans: BucketSpan[] = []
  readonly negativeSpans: BucketSpan[] = []
  readonly positiveDeltas: number[] = []
  readonly negativeDeltas: number[] = []
  readonly positiveCounts: number[] = []
  readonly negativeCounts: number[] = []
  readonly customBounds: number[] = []
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
  const fields = new Fields()
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) readField(reader, tag, fields)
  reader.close(outer)
  const { isFloat } = fields
  return {
    timestampMs: fields.timestampMs,
    histogram: {
      integer: !isFloat,
      counterResetHint: HINTS[fields.resetHint] ?? CounterResetHint.UNKNOWN,
      schema: fields.schema,
      zeroThreshold: fields.zeroThreshold,
      zeroCount: fields.zeroCount,
      count: fields.count,
      sum: fields.sum,
      positiveSpans: spansOf(fields.positiveSpans),
      positiveBuckets: isFloat ? Float64Array.from(fields.positiveCounts) : countsOfDeltas(fields.positiveDeltas),
      negativeSpans: spansOf(fields.negativeSpans),
      negativeBuckets: isFloat ? Float64Array.from(fields.negativeCounts) : countsOfDeltas(fields.negativeDeltas),
      customBounds: Float64Array.from(fields.customBounds),
    },
  }
}

function readField(reader: ProtoReader, tag: number, fields: Fields): void {
  switch (tag) {
    case 8:
      fields.count = reader.uint64()
      fields.isFloat = false
      return
    case 17:
      fields.count = reader.double()
      fields.isFloat = true
      return
    case 25:
      fields.sum = reader.double()
      return
    case 32:
      fields.schema = reader.sint32()
      return
    case 41:
      fields.zeroThreshold = reader.double()
      return
    case 48:
      fields.zeroCount = reader.uint64()
      return
    case 57:
      fields.zeroCount = reader.double()
      return
    case 66:
      fields.negativeSpans.push(readSpan(reader))
      return
    case 72:
    case 74:
      return readSint64s(reader, tag, fields.negativeDeltas)
    case 81:
    case 82:
      return readDoubles(reader, tag, fields.negativeCounts)
    case 90:
      fields.positiveSpans.push(readSpan(reader))
      return
    case 96:
    case 98:
      return readSint64s(reader, tag, fields.positiveDeltas)
    case 105:
    case 106:
      return readDoubles(reader, tag, fields.positiveCounts)
    case 112:
      fields.resetHint = reader.uint32()
      return
    case 120:
      fields.timestampMs = reader.int64()
      return
    case 129:
    case 130:
      return readDoubles(reader, tag, fields.customBounds)
    default:
      reader.skip(tag)
  }
}
