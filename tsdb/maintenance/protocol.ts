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
}

/** `undefined` when there was nothing to write. */
export type BlockAnswer = BlockMeta | undefined
