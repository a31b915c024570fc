/** One remote writer of a few series, and what it may rely on. */
import { encodeSnappy, labelsFromRecord, ProtoWriter, writeLabelPairs } from '../../model/index.ts'

export const SERIES = 8
/** One sample of every series. */
export const STEP_MS = 1000

/** The value that a series has at a step; two steps in a row differ, and so do the series. */
export const valueAt = (series: number, step: number): number => step * 10 + series + (step % 3 === 0 ? 0.25 : 0)

/** Body of a remote-write request with the steps from one to another (exclusive). */
export function writeRequest(baseMs: number, from: number, to: number): Uint8Array {
  const request = new ProtoWriter()
  for (let series = 0; series < SERIES; series++) {
    const own = request.open(1)
    writeLabelPairs(request, labelsFromRecord({ __name__: 'kill', i: String(series) }))
    for (let step = from; step < to; step++) {
      const sample = request.open(2)
      request.double(1, valueAt(series, step))
      request.int64(2, baseMs + step * STEP_MS)
      request.close(sample)
    }
    request.close(own)
  }
  return encodeSnappy(request.finish())
}
