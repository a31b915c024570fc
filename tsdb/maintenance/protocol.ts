import type { Deletion } from '../block/deletions.ts'
import type { BlockMeta } from '../block/meta.ts'

/** What the maintenance worker is started with. */
export interface MaintenanceData {
  readonly memory: WebAssembly.Memory
  /** Reader slot of the worker. */
  readonly slot: number
}

export interface SealGroup {
  readonly group: number
  readonly page: number
  readonly rowCount: number
  readonly positionCount: number
}

export interface SealRequest {
  readonly folder: string
  readonly file: number
  readonly windowStartMs: number
  readonly groups: readonly SealGroup[]
}

/** Histogram pages of the head, by label set. */
export interface HistogramPagesRequest {
  readonly labelSet: number
  readonly pages: readonly {
    readonly pointer: number
    readonly length: number
    readonly count: number
    readonly minTimeMs: number
    readonly maxTimeMs: number
  }[]
}

export interface SealHistogramsRequest {
  readonly folder: string
  readonly windows: readonly { readonly windowStartMs: number; readonly series: readonly HistogramPagesRequest[] }[]
}

/** In the order of the request; `undefined` where no position held a sample. */
export interface SealAnswer {
  readonly chunks: readonly (Uint8Array<ArrayBuffer> | undefined)[]
}

export interface CheckpointRequest {
  readonly file: string
  readonly walSegment: number
  readonly minValidMs: number
}

export interface BlockRequest {
  readonly dataDir: string
  readonly ulid: string
  /** Inclusive. */
  readonly minTimeMs: number
  /** Exclusive. */
  readonly maxTimeMs: number
  readonly groups: readonly { readonly group: number; readonly chunks: readonly number[] }[]
  readonly histograms: readonly HistogramPagesRequest[]
  /** Numbers of the head-chunk files that the block stands for. */
  readonly headFiles: readonly number[]
  /** Samples that are left out, and the number of the newest deletion. */
  readonly deletions: readonly Deletion[]
  readonly deletionNumber: number
}

/** `undefined` when there was nothing to write. */
export type BlockAnswer = BlockMeta | undefined
