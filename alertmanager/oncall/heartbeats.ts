import type { StateRecord } from '../store/frame.ts'
import type { StateLog, StatePart } from '../store/state-log.ts'

/** When an expected heartbeat was last seen; before the first, when it was first expected. */
interface Beat {
  readonly atMs: number
  readonly hasCome: boolean
}

const PUT = 'heartbeat'
const GONE = 'heartbeat-gone'

/** What is remembered of heartbeats that others give. */
export class Heartbeats implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #byName = new Map<string, Beat>()

  get(name: string): Beat | undefined {
    return this.#byName.get(name)
  }

  names(): Iterable<string> {
    return this.#byName.keys()
  }

  /** The caller commits. */
  put(name: string, beat: Beat, log: StateLog): void {
    this.#byName.set(name, beat)
    log.write([PUT, name, beat.atMs, beat.hasCome])
  }

  /** Takes what another instance has heard. The caller commits. */
  merge(name: string, beat: Beat, log: StateLog): void {
    const known = this.#byName.get(name)
    // Where it is not expected it is of no use.
    if (known && beat.hasCome && beat.atMs > known.atMs) this.put(name, beat, log)
  }

  /** The caller commits. */
  remove(name: string, log: StateLog): void {
    if (this.#byName.delete(name)) log.write([GONE, name])
  }

  apply(record: StateRecord): void {
    const [name, beat] = beatOf(record)
    if (record[0] === GONE) this.#byName.delete(name)
    else this.#byName.set(name, beat)
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [name, { atMs, hasCome }] of this.#byName) yield [PUT, name, atMs, hasCome]
  }
}

/** Name and beat of a record. */
export function beatOf(record: StateRecord): [name: string, beat: Beat] {
  const [, name, atMs, hasCome] = record as [string, string, number, boolean]
  return [name, { atMs, hasCome }]
}
