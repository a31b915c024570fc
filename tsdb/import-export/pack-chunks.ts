import type { NativeHistogram, SeriesColumn } from '../../model/index.ts'
import { encodeHistogramChunk, sharesChunk } from './histogram-chunk.ts'
import type { PackedChunk } from './prometheus-block-writer.ts'
import { Encoding } from './prometheus-format.ts'
import { encodeXorChunk } from './xor-chunk.ts'

// As Prometheus cuts them.
const SAMPLES_MAX = 120

/** Packs the samples of a series into chunks of Prometheus, by time. A marker among histograms goes as a float. */
export function packChunks({ timestampsMs, values, length, histograms }: SeriesColumn): PackedChunk[] {
  const chunks: PackedChunk[] = []
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * length)
  let isFirstHistogram = true
  for (let from = 0; from < length; ) {
    const first = histograms?.[from]
    const limit = Math.min(length, from + SAMPLES_MAX)
    let to = from + 1
    let bytes: Uint8Array
    if (first === undefined) {
      while (to < limit && histograms?.[to] === undefined) to++
      bytes = encodeXorChunk({ timestampsMs, words }, from, to)
    } else {
      while (to < limit && histograms?.[to] !== undefined && sharesChunk(first, histograms[to]!)) to++
      const samples = Array.from({ length: to - from }, (_, i) => ({
        timestampMs: timestampsMs[from + i]!,
        histogram: histograms![from + i]!,
      }))
      bytes = encodeHistogramChunk(samples, isFirstHistogram)
      isFirstHistogram = false
    }
    const minTimeMs = timestampsMs[from]!
    const maxTimeMs = timestampsMs[to - 1]!
    chunks.push({ encoding: encodingOf(first), bytes, samples: to - from, minTimeMs, maxTimeMs })
    from = to
  }
  return chunks
}

function encodingOf(histogram: NativeHistogram | undefined): number {
  if (histogram === undefined) return Encoding.XOR
  return histogram.integer ? Encoding.HISTOGRAM : Encoding.FLOAT_HISTOGRAM
}
