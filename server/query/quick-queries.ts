/** A query is quick when it has been so often, one time after the other, over a span of the same length. */
const RUNS_MIN = 3
const QUICK_MS_MAX = 20
const KNOWN_MAX = 1000

/** What a query asks for, where it has times at all. */
interface Asked {
  readonly expr?: string
  readonly startMs?: number
  readonly endMs?: number
  readonly stepMs?: number
}

/** Knows queries that are over as soon as they have begun: no care need be taken of them. */
export class QuickQueries {
  readonly #runs = new Map<string, number>()

  isQuick(key: string): boolean {
    return (this.#runs.get(key) ?? 0) >= RUNS_MIN
  }

  learn(key: string, runMs: number): void {
    const runs = this.#runs.get(key) ?? 0
    if (runMs > QUICK_MS_MAX) {
      if (runs > 0) this.#runs.delete(key)
      return
    }
    if (runs >= RUNS_MIN) return
    if (runs === 0 && this.#runs.size >= KNOWN_MAX) this.#runs.delete(this.#runs.keys().next().value!)
    this.#runs.set(key, runs + 1)
  }
}

/** The same for queries that are the same but for when they are asked. */
export const quickKeyOf = ({ expr = '', startMs = 0, endMs = 0, stepMs = 0 }: Asked): string =>
  `${endMs - startMs} ${stepMs} ${expr}`
