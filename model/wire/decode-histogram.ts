import type { Exemplar } from '../exemplar.ts'
import { type BucketSpan, CounterResetHint, type NativeHistogram } from '../native-histogram.ts'
import type { ClientHistogram } from './client-metrics.ts'
import { readExemplar, readTimestampMs } from './decode-exemplar.ts'
import { countsOfDeltas, readDoubles, readSint64s, readSpan, spansOf } from './native-buckets.ts'
import type { ProtoReader } from './proto-reader.ts'

const NO_BOUNDS = new Float64Array(0)

type ClassicBucket = ClientHistogram['buckets'][number]

/** Fields of a `Histogram` message as they come. */
class HistogramFields {
  count = 0
  floatCount = 0
  sum = 0
  schema = 0
  zeroThreshold = 0
  zeroCount = 0
  floatZeroCount = 0
  readonly buckets: ClassicBucket[] = []
  readonly exemplars: Exemplar[] = []
  readonly positiveSpans: BucketSpan[] = []
  readonly negativeSpans: BucketSpan[] = []
  readonly positiveDeltas: number[] = []
  readonly negativeDeltas: number[] = []
  readonly positiveCounts: number[] = []
  readonly negativeCounts: number[] = []
}

/** Reads the open `Histogram` message. */
export function readHistogram(
  reader: ProtoReader,
  isGauge: boolean,
  into: { histogram: ClientHistogram | undefined; createdMs: number | undefined },
): void {
  const fields = new HistogramFields()
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 122) into.createdMs = readTimestampMs(reader)
    else readField(reader, tag, fields)
  }
  into.histogram = {
    count: fields.floatCount > 0 ? fields.floatCount : fields.count,
    sum: fields.sum,
    buckets: fields.buckets,
    native: nativeOf(fields, isGauge),
    exemplars: fields.exemplars,
  }
}

function readField(reader: ProtoReader, tag: number, fields: HistogramFields): void {
  switch (tag) {
    case 8:
      fields.count = reader.uint64()
      return
    case 17:
      fields.sum = reader.double()
      return
    case 26:
      fields.buckets.push(readBucket(reader))
      return
    case 33:
      fields.floatCount = reader.double()
      return
    case 40:
      fields.schema = reader.sint32()
      return
    case 49:
      fields.zeroThreshold = reader.double()
      return
    case 56:
      fields.zeroCount = reader.uint64()
      return
    case 65:
      fields.floatZeroCount = reader.double()
      return
    case 74:
      fields.negativeSpans.push(readSpan(reader))
      return
    case 80:
    case 82:
      return readSint64s(reader, tag, fields.negativeDeltas)
    case 89:
    case 90:
      return readDoubles(reader, tag, fields.negativeCounts)
    case 98:
      fields.positiveSpans.push(readSpan(reader))
      return
    case 104:
    case 106:
      return readSint64s(reader, tag, fields.positiveDeltas)
    case 113:
    case 114:
      return readDoubles(reader, tag, fields.positiveCounts)
    case 130:
      fields.exemplars.push(readExemplar(reader))
      return
    default:
      reader.skip(tag)
  }
}

function readBucket(reader: ProtoReader): ClassicBucket {
  const outer = reader.open()
  let count = 0
  let floatCount = 0
  let upperBound = 0
  let exemplar: Exemplar | undefined
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) count = reader.uint64()
    else if (tag === 17) upperBound = reader.double()
    else if (tag === 26) exemplar = readExemplar(reader)
    else if (tag === 33) floatCount = reader.double()
    else reader.skip(tag)
  }
  reader.close(outer)
  return { upperBound, cumulativeCount: floatCount > 0 ? floatCount : count, exemplar }
}

/** A message says that it is native by spans (empty ones will do) or by its bucket around zero. */
function nativeOf(fields: HistogramFields, isGauge: boolean): NativeHistogram | undefined {
  const { positiveSpans, negativeSpans, zeroThreshold, zeroCount, floatZeroCount } = fields
  const isNative =
    positiveSpans.length > 0 || negativeSpans.length > 0 || zeroThreshold > 0 || zeroCount > 0 || floatZeroCount > 0
  if (!isNative) return undefined
  const isFloat =
    fields.floatCount > 0 || floatZeroCount > 0 || fields.positiveCounts.length > 0 || fields.negativeCounts.length > 0
  return {
    integer: !isFloat,
    counterResetHint: isGauge ? CounterResetHint.GAUGE : CounterResetHint.UNKNOWN,
    schema: fields.schema,
    zeroThreshold,
    zeroCount: isFloat ? floatZeroCount : zeroCount,
    count: isFloat ? fields.floatCount : fields.count,
    sum: fields.sum,
    positiveSpans: spansOf(positiveSpans),
    positiveBuckets: isFloat ? Float64Array.from(fields.positiveCounts) : countsOfDeltas(fields.positiveDeltas),
    negativeSpans: spansOf(negativeSpans),
    negativeBuckets: isFloat ? Float64Array.from(fields.negativeCounts) : countsOfDeltas(fields.negativeDeltas),
    customBounds: NO_BOUNDS,
  }
}
