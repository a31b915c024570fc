import type { Exemplar } from '../exemplar.ts'
import { CounterResetHint, type NativeHistogram } from '../native-histogram.ts'
import type { ClientHistogram } from './client-metrics.ts'
import { readExemplar, readTimestampMs } from './decode-exemplar.ts'
import { NativeFields } from './native-fields.ts'
import type { ProtoReader } from './proto-reader.ts'

type ClassicBucket = ClientHistogram['buckets'][number]

/** Fields of a `Histogram` message as they come. */
class HistogramFields {
  count = 0
  floatCount = 0
  sum = 0
  readonly buckets: ClassicBucket[] = []
  readonly exemplars: Exemplar[] = []
  readonly native = new NativeFields()
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

// The number of a field stands above the three bits of its type.
const ONE_NUMBER = 1 << 3

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
    case 130:
      fields.exemplars.push(readExemplar(reader))
      return
    default:
      if (!fields.native.take(reader, tag - ONE_NUMBER)) reader.skip(tag)
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
function nativeOf({ count, floatCount, sum, native }: HistogramFields, isGauge: boolean): NativeHistogram | undefined {
  const { positiveSpans, negativeSpans, positiveCounts, negativeCounts, floatZeroCount } = native
  const saysZero = native.zeroThreshold > 0 || native.zeroCount > 0 || floatZeroCount > 0
  if (positiveSpans.length === 0 && negativeSpans.length === 0 && !saysZero) return undefined
  const isFloat = floatCount > 0 || floatZeroCount > 0 || positiveCounts.length > 0 || negativeCounts.length > 0
  const counterResetHint = isGauge ? CounterResetHint.GAUGE : CounterResetHint.UNKNOWN
  return native.histogram({ isFloat, count: isFloat ? floatCount : count, sum, counterResetHint })
}
