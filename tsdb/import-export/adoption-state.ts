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
  /** Of the parts that are in. */
  readonly left?: LeftOut
  /** A part whose blocks are being moved in; `left` as it is after that. */
  readonly moving?: { readonly unit: string; readonly ulids: readonly string[]; readonly left?: LeftOut }
}

/** What could not be read and is nowhere but with the Prometheus. */
interface LeftOut {
  readonly count: number
  /** Of the first ones. */
  readonly reasons: readonly string[]
}

const REASONS_MAX = 20

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
    this.#state = this.#after(moving)
  }

  get limitMs(): number {
    return this.#state.limitMs
  }

  get isFinished(): boolean {
    return this.#state.isFinished
  }

  get left(): LeftOut {
    return this.#state.left ?? { count: 0, reasons: [] }
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

  /**
   * Moves the blocks of a part from `staging` into the store.
   *
   * @param leftOut why something of the part is not in the blocks
   */
  async moveIn(unit: string, ulids: readonly string[], leftOut: readonly string[]): Promise<void> {
    const count = this.left.count + leftOut.length
    const left = { count, reasons: [...this.left.reasons, ...leftOut].slice(0, REASONS_MAX) }
    const moving = { unit, ulids, ...(count > 0 && { left }) }
    await this.#save({ ...this.#state, moving })
    this.#move(ulids)
    await syncFolder(this.#dataDir)
    await this.#save(this.#after(moving))
  }

  #move(ulids: readonly string[]): void {
    for (const ulid of ulids) {
      const from = join(this.staging, ulid)
      if (existsSync(from)) renameSync(from, join(this.#dataDir, ulid))
    }
  }

  #after({ unit, left }: NonNullable<State['moving']>): State {
    const { moving: _, ...state } = this.#state
    return { ...state, done: [...state.done, unit], ...(left && { left }) }
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
