import { SampleKind, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import type { HeadGroup } from './head-group.ts'
import type { HeadChunk } from './pieces.ts'
import type { Head } from './head.ts'

// Kernels may write whole vectors.
const MARGIN_BYTES = 64

/** The newest sample of a series in a sparse group: its time and the bits of its value. */
interface NewestSample {
  readonly timestampMs: number
  readonly low: number
  readonly high: number
}

/** Looks at the last values, which a replay has brought back as far as there were rows, and then at the chunks. */
export function newestSample(head: Head, group: HeadGroup, position: number): NewestSample | undefined {
  const fromState = newestOfState(head, group, position)
  if (fromState !== undefined) return fromState
  for (let i = group.chunks.length - 1; i >= 0; i--) {
    const found = newestOfChunk(head, group.chunks[i]!, position)
    if (found !== undefined) return found
  }
  return undefined
}

function newestOfState(head: Head, group: HeadGroup, position: number): NewestSample | undefined {
  const { lastTs, m, e, k } = group.state
  const { u8, u32, f64 } = head.memory.views
  const timestampMs = f64[(lastTs >>> 3) + position]!
  if (timestampMs === Number.NEGATIVE_INFINITY) return undefined
  const kind = u8[k + position]! & 3
  const at = (m >>> 2) + 2 * position
  if (kind === SampleKind.RAW) return { timestampMs, low: u32[at]!, high: u32[at + 1]! }
  if (kind === SampleKind.STALE) return { timestampMs, low: STALE_NAN_LOW, high: STALE_NAN_HIGH }
  const exponent = (u8[e + position]! << 24) >> 24
  const mantissa = (u32[at + 1]! | 0) * 2 ** 32 + u32[at]!
  const power = Number(`1e${Math.abs(exponent)}`)
  const bits = new Uint32Array(new Float64Array([exponent > 0 ? mantissa / power : mantissa * power]).buffer)
  return { timestampMs, low: bits[0]!, high: bits[1]! }
}

function newestOfChunk(head: Head, { pointer }: HeadChunk, position: number): NewestSample | undefined {
  const { memory, columns } = head
  const view = new ChunkView(memory.views.u8.buffer, pointer)
  const length = view.lengthOf(position)
  if (length === 0) return undefined
  const n = view.header.rowCount
  const columnBytes = 8 * n + MARGIN_BYTES
  const bytes = 3 * columnBytes
  const area = memory.allocate(bytes)
  try {
    const times = area + columnBytes
    const summary = times + columnBytes
    const kinds = summary + 8
    columns.columnUnpack(view.timestampsAt, view.timestampsEnd, n, times, 0, kinds, summary, 1)
    const at = view.offsetOf(position)
    columns.columnUnpack(at, at + length, n, area, 0, kinds, summary, 1)
    const { u8, u32, f64 } = memory.views
    for (let row = n - 1; row >= 0; row--) {
      if (u8[kinds + row] === SampleKind.ABSENT) continue
      const timestampMs = f64[(times >>> 3) + row]!
      return { timestampMs, low: u32[(area >>> 2) + 2 * row]!, high: u32[(area >>> 2) + 2 * row + 1]! }
    }
    return undefined
  } finally {
    memory.free(area, bytes)
  }
}
