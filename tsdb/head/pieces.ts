import type { HeadMemory } from '../memory/head-memory.ts'
import { PIECE_WORDS, Piece } from '../memory/layout.ts'

/** A closed run of rows that waits for its seal, or a sealed chunk. */
export interface PieceInfo {
  readonly pointer: number
  /** Of a chunk; 0 for rows. */
  readonly length: number
  readonly rowCount: number
  readonly positionCount: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

export interface PendingRows extends PieceInfo {
  /** Log segment that holds its first row; log up to there must be kept until the seal. */
  readonly walSegment: number
  readonly isSealing: boolean
}

export interface HeadChunk extends PieceInfo {
  /** Number of the head-chunk file that makes it durable. */
  readonly file: number
}

/** Writes a table of pieces that readers can follow. @returns where it lies; 0 for none */
export function writePieces(memory: HeadMemory, pieces: readonly PieceInfo[]): number {
  if (pieces.length === 0) return 0
  const table = memory.allocate(pieces.length * PIECE_WORDS * 4)
  const { u32, f64 } = memory.views
  for (const [i, piece] of pieces.entries()) {
    const at = (table >>> 2) + i * PIECE_WORDS
    u32[at + Piece.POINTER] = piece.pointer
    u32[at + Piece.LENGTH] = piece.length
    u32[at + Piece.ROWS] = piece.rowCount
    u32[at + Piece.POSITIONS] = piece.positionCount
    f64[(at + Piece.MIN_TIME) >>> 1] = piece.minTimeMs
    f64[(at + Piece.MAX_TIME) >>> 1] = piece.maxTimeMs
  }
  return table
}

/** Retires a table that has been unlinked. */
export function retirePieces(memory: HeadMemory, table: number, count: number): void {
  if (table !== 0) memory.retire(table, count * PIECE_WORDS * 4)
}
