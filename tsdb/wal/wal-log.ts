import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listSegments } from './replay.ts'
import { segmentName, type WalWriter } from './wal-writer.ts'

/** The log as a whole: the writer, and the segments that are still needed. */
export class WalLog {
  readonly #folder: string
  readonly #writer: WalWriter

  constructor(folder: string, writer: WalWriter) {
    this.#folder = folder
    this.#writer = writer
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten
  }

  /** Resolves when everything so far is in the file. @throws {LogWriteError} */
  flushed(): Promise<void> {
    return this.#writer.flushed()
  }

  rotate(): number {
    return this.#writer.rotate()
  }

  /** Deletes the segments before `segment`. */
  truncateBefore(segment: number): void {
    for (const other of listSegments(this.#folder)) {
      if (other < segment) rmSync(join(this.#folder, segmentName(other)), { force: true })
    }
  }

  /** Numbers of the oldest segment on disk and of the one that is written. */
  range(): { min: number; max: number } {
    const segments = listSegments(this.#folder)
    return { min: segments[0] ?? this.#writer.segment, max: this.#writer.segment }
  }

  /** 0 while the folder cannot be found: a failing disk must not hide the metrics that tell of it. */
  sizeBytes(): number {
    if (!existsSync(this.#folder)) return 0
    return listSegments(this.#folder).reduce((sum, segment) => {
      const stat = statSync(join(this.#folder, segmentName(segment)), { throwIfNoEntry: false })
      return sum + (stat?.size ?? 0)
    }, 0)
  }
}
