import type { NativeHistogram } from '../../model/index.ts'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { HistogramDecoder, HistogramEncoder, type TimedHistogram } from '../histogram/codec.ts'

// Format: docs/formats/wal.md.

/** Payload of a log record: the histograms of one row. Each stands for itself, so that damage costs no other. */
export function encodeHistograms(
  timestampMs: number,
  samples: readonly { readonly position: number; readonly histogram: NativeHistogram }[],
): Uint8Array {
  const writer = new ByteWriter()
  writer.varint(samples.length)
  for (const { position, histogram } of samples) {
    writer.varint(position)
    new HistogramEncoder().write(writer, timestampMs, histogram)
  }
  return writer.bytes()
}

/** @throws {MalformedBytesError} */
export function decodeHistograms(payload: Uint8Array): { position: number; sample: TimedHistogram }[] {
  const reader = new ByteReader(payload)
  return Array.from({ length: reader.count() }, () => ({
    position: reader.varint(),
    sample: new HistogramDecoder().read(reader),
  }))
}
