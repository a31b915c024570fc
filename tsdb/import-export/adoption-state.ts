import { existsSync, readFileSync, renameSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CorruptionError } from '../errors.ts'
import { syncFolder, writeDurably } from '../files.ts'

// Format: docs/formats/prometheus-block.md.
const VERSION = 1

interface State {
  readonly version: number
  /** Samples before it come from the Prometheus, later ones are our own. */
  readonly limitMs: number
  readonly isFinished: boolean
  /** Parts that are in. */
  readonly done: readonly string[]
  /** A part whose blocks are being moved in. */
  readonly moving?: { readonly unit: string; readonly ulids: readonly string[] }
}

/** How far the history of a Prometheus has been brought in, on disk: no part twice, whenever the process is killed. */
export class AdoptionState {
  readonly staging: string
  readonly #dataDir: string
  readonly #file: string
  #state: State

  /**
   * Reads the state and ends a move that was interrupted.
   *
   * @throws {CorruptionError} rather than to bring something in twice
   */
  constructor(dataDir: string, nowMs: number) {
    this.#dataDir = dataDir
    this.#file = join(dataDir, 'adoption.json')
    this.staging = join(dataDir, 'adoption')
    this.#state = existsSync(this.#file)
      ? readState(this.#file)
      : { version: VERSION, limitMs: nowMs, isFinished: false, done: [] }
    const { moving } = this.#state
    if (moving === undefined) return
    this.#move(moving.ulids)
    this.#state = this.#after(moving.unit)
  }

  get limitMs(): number {
    return this.#state.limitMs
  }

  get isFinished(): boolean {
    return this.#state.isFinished
  }

  isDone(unit: string): boolean {
    return this.#state.done.includes(unit)
  }

  /** Makes the limit durable. */
  begin(): Promise<void> {
    return this.#save(this.#state)
  }

  finish(): Promise<void> {
    return this.#save({ ...this.#state, isFinished: true })
  }

  /** Moves the blocks of a part from `staging` into the store. */
  async moveIn(unit: string, ulids: readonly string[]): Promise<void> {
    await this.#save({ ...this.#state, moving: { unit, ulids } })
    this.#move(ulids)
    await syncFolder(this.#dataDir)
    await this.#save(this.#after(unit))
  }

  #move(ulids: readonly string[]): void {
    for (const ulid of ulids) {
      const from = join(this.staging, ulid)
      if (existsSync(from)) renameSync(from, join(this.#dataDir, ulid))
    }
  }

  #after(unit: string): State {
    const { moving: _, ...state } = this.#state
    return { ...state, done: [...state.done, unit] }
  }

  async #save(state: State): Promise<void> {
    const temporary = `${this.#file}.tmp`
    await writeDurably(temporary, `${JSON.stringify(state)}\n`)
    await rename(temporary, this.#file)
    await syncFolder(dirname(this.#file))
    this.#state = state
  }
}

function readState(file: string): State {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as State
    if (state.version !== VERSION || typeof state.limitMs !== 'number' || !Array.isArray(state.done)) {
      throw new Error('not the state of an import of version 1')
    }
    return state
  } catch (cause) {
    throw new CorruptionError(file, 0, (cause as Error).message, { cause })
  }
}
