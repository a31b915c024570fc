import { existsSync, readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Matcher, TimeRange } from '../../model/index.ts'
import { CorruptionError } from '../errors.ts'
import { syncFolder, writeDurably } from '../files.ts'
import { decodeDeletions, type Deletion, encodeDeletions } from './deletions.ts'
import type { BlockMeta } from './meta.ts'

/** The deletions that are not carried out everywhere yet, and their file. */
export class DeletionList {
  readonly #file: string
  #deletions: readonly Deletion[] = []
  #newest = 0
  #saving: Promise<unknown> = Promise.resolve()

  /**
   * @param blocks may come from elsewhere and have seen deletions of higher numbers
   * @throws {CorruptionError} rather than to show again what was deleted
   */
  constructor(file: string, blocks: readonly BlockMeta[]) {
    this.#file = file
    this.#newest = Math.max(0, ...blocks.map((meta) => meta.deletions ?? 0))
    if (!existsSync(file)) return
    const { newest, deletions } = readList(file)
    this.#newest = Math.max(this.#newest, newest)
    this.#deletions = deletions
  }

  get all(): readonly Deletion[] {
    return this.#deletions
  }

  /** Number of the newest deletion ever. */
  get newest(): number {
    return this.#newest
  }

  /** Resolves when the deletion is on disk. */
  async add(matchers: readonly Matcher[], { minTimeMs, maxTimeMs }: TimeRange): Promise<void> {
    const plain = matchers.map(({ type, name, value }) => ({ type, name, value }))
    const deletion = { number: this.#newest + 1, matchers: plain, minTimeMs, maxTimeMs }
    await this.#save(() => {
      this.#newest = deletion.number
      this.#deletions = [...this.#deletions, deletion]
    })
  }

  /** Forgets deletions that are carried out everywhere. */
  async drop(isDone: (deletion: Deletion) => boolean): Promise<void> {
    if (!this.#deletions.some(isDone)) return
    await this.#save(() => {
      this.#deletions = this.#deletions.filter((deletion) => !isDone(deletion))
    })
  }

  /** Writes the list to another place. */
  async copyTo(file: string): Promise<void> {
    await writeDurably(file, encodeDeletions(this.#newest, this.#deletions))
  }

  /** One after the other; what fails is taken back. */
  #save(change: () => void): Promise<void> {
    const run = async (): Promise<void> => {
      const before = { newest: this.#newest, deletions: this.#deletions }
      change()
      try {
        const temporary = `${this.#file}.tmp`
        await this.copyTo(temporary)
        await rename(temporary, this.#file)
        await syncFolder(dirname(this.#file))
      } catch (error) {
        this.#newest = before.newest
        this.#deletions = before.deletions
        throw error
      }
    }
    const result = this.#saving.then(run, run)
    this.#saving = result.catch(() => undefined) // Its caller gets the failure.
    return result
  }
}

/** @throws {CorruptionError} that says what to do */
function readList(file: string): ReturnType<typeof decodeDeletions> {
  const bytes = readFileSync(file)
  try {
    return decodeDeletions(bytes, file)
  } catch (cause) {
    if (!(cause instanceof CorruptionError)) throw cause
    const why = 'the list of deletions is damaged; "belltower tsdb repair" sets it aside, and what it hides shows again'
    throw new CorruptionError(file, cause.offset, why, { cause })
  }
}
