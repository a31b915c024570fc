// Range queries answered as binary columns: nothing is parsed per point. Queries asked in one go for the same times and by the
// same asker travel together.
import type { LabelSet } from '../../model/frame.ts'
import { dependsOnRange, missingSteps, moveWindow, type StepSeries, type StepWindow } from '../../model/step-window.ts'
import { type Packed, readMessagePack } from '../../model/message-pack.ts'
import { ApiError, request } from './client.ts'
import type { Grid } from './prometheus.ts'

export interface ColumnsAnswer {
  readonly series: readonly StepSeries[]
  /** Some points are native histograms, which are not in the columns. */
  readonly hasHistograms: boolean
  /** The answer may lack something. */
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
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

/** What a live panel has been answered so far, by the place of the query in it. */
export type ColumnMemory = Map<
  string,
  { readonly expr: string; readonly askedWholeAtMs: number; readonly window: StepWindow }
>

/** Samples that come later than this are seen when all is asked again. */
const LATE_MS = 120_000
const WHOLE_AGAIN_MS = 600_000

/**
 * As {@link queryColumns}, asking only for the steps that the memory does not hold.
 *
 * @param place of the query among those that share the memory
 */
export async function queryNewColumns(
  expr: string,
  grid: Grid,
  signal: AbortSignal,
  { memory, place }: { memory: ColumnMemory; place: string },
): Promise<ColumnsAnswer> {
  const nowMs = Date.now()
  const known = memory.get(place)
  const usable = known !== undefined && known.expr === expr && nowMs - known.askedWholeAtMs < WHOLE_AGAIN_MS
  const missing = usable ? missingSteps(known.window.grid, grid, LATE_MS) : undefined
  const answer = await queryColumns(expr, missing ?? grid, signal)
  if (answer.hasHistograms || answer.warnings.length > 0 || dependsOnRange(expr)) {
    memory.delete(place)
    return missing === undefined ? answer : queryColumns(expr, grid, signal)
  }
  const window =
    missing === undefined
      ? { grid, series: answer.series }
      : moveWindow(known!.window, { grid: missing, series: answer.series }, grid)
  memory.set(place, { expr, askedWholeAtMs: missing === undefined ? nowMs : known!.askedWholeAtMs, window })
  return { ...answer, series: window.series }
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
        warnings,
        infos,
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
