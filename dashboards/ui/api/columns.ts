// Range queries answered as binary columns: nothing is parsed per point. Queries asked in one go for the same times and by the
// same asker travel together.
import type { LabelSet } from '../../model/frame.ts'
import { type Packed, readMessagePack } from '../../model/message-pack.ts'
import { ApiError, request } from './client.ts'
import type { Grid } from './prometheus.ts'

export interface ColumnSeries {
  readonly metric: LabelSet
  /** One value per point of the grid, NaN where there is none. */
  readonly values: Float64Array
}

export interface ColumnsAnswer {
  readonly series: readonly ColumnSeries[]
  /** Some points are native histograms, which are not in the columns. */
  readonly hasHistograms: boolean
  readonly warnings: readonly string[]
}

interface Asked {
  readonly expr: string
  readonly resolve: (answer: ColumnsAnswer) => void
  readonly reject: (error: unknown) => void
}

const FAILED = 422
const batches = new WeakMap<AbortSignal, Map<string, Asked[]>>()

/** @param grid whole milliseconds. @throws {ApiError} where the query is refused */
export function queryColumns(expr: string, grid: Grid, signal: AbortSignal): Promise<ColumnsAnswer> {
  return new Promise((resolve, reject) => {
    const byGrid = batches.get(signal) ?? new Map<string, Asked[]>()
    batches.set(signal, byGrid)
    const key = `${grid.startMs} ${grid.endMs} ${grid.stepMs}`
    const batch = byGrid.get(key)
    const asked = { expr, resolve, reject }
    if (batch !== undefined) {
      batch.push(asked)
      return
    }
    const fresh = [asked]
    byGrid.set(key, fresh)
    queueMicrotask(() => {
      byGrid.delete(key)
      void send(fresh, grid, signal)
    })
  })
}

async function send(batch: readonly Asked[], { startMs, endMs, stepMs }: Grid, signal: AbortSignal): Promise<void> {
  try {
    const json = { queries: batch.map(({ expr }) => ({ expr })), startMs, endMs, stepMs }
    const response = await request('api/belltower/v1/query_range_columns', { method: 'POST', json, signal })
    const [, ...answers] = readMessagePack(new Uint8Array(await response.arrayBuffer())) as readonly PackedAnswer[]
    batch.forEach(({ resolve, reject }, i) => {
      const { error, series = [], warnings = [], infos = [] } = answers[i] ?? { error: 'The answer is incomplete.' }
      if (error !== undefined) return reject(new ApiError(error, FAILED))
      resolve({
        series: series.map(({ labels, values }) => ({ metric: labelSet(labels), values: floats(values) })),
        hasHistograms: series.some(({ histograms }) => histograms !== undefined),
        warnings: [...warnings, ...infos],
      })
    })
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}

interface PackedAnswer {
  readonly error?: string
  readonly series?: readonly { labels: readonly string[]; values: Uint8Array; histograms?: Packed }[]
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
}

function labelSet(flat: readonly string[]): LabelSet {
  const labels: Record<string, string> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) labels[flat[i]!] = flat[i + 1]!
  return labels
}

/** Copied: columns stand at any place of the answer, and must not keep all of it. */
function floats(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.slice().buffer)
}
