import { SampleKind } from '../../model/index.ts'

const ABSENT = 0
const LIVE = 1
/** The stale marker stands in the last row; the next one must take it back. */
const STALE = 2

/** Tells an entry that the next row needs. */
export type EmitEntry = (position: number, kind: SampleKind) => void

/** What each position of a target's rows is between two rows. */
export class PositionStates {
  #states = new Uint8Array(64)
  #staleCount = 0

  get hasStale(): boolean {
    return this.#staleCount > 0
  }

  isLive(position: number): boolean {
    return this.#states[position] === LIVE
  }

  grow(positionCount: number): void {
    if (positionCount <= this.#states.length) return
    const grown = new Uint8Array(Math.max(positionCount, this.#states.length * 2))
    grown.set(this.#states)
    this.#states = grown
  }

  /** The first positions hold what a former owner left: the next row takes it away. */
  inherit(positionCount: number): void {
    this.#states.fill(STALE, 0, positionCount)
    this.#staleCount = positionCount
  }

  /**
   * The page now owns the positions marked in `claimed`: markers for what it no longer owns, an end to older markers.
   *
   * @param isReport positions of the series about the scrape, which go on with our value when the page gives them up
   */
  settle(positionCount: number, claimed: Uint8Array, isReport: (position: number) => boolean, emit: EmitEntry): void {
    const states = this.#states
    let staleCount = 0
    for (let position = 0; position < positionCount; position++) {
      if (claimed[position] === 1) {
        states[position] = LIVE
      } else if (states[position] === STALE) {
        states[position] = ABSENT
        emit(position, SampleKind.ABSENT)
      } else if (states[position] === LIVE) {
        states[position] = isReport(position) ? ABSENT : STALE
        if (states[position] === ABSENT) continue
        emit(position, SampleKind.STALE)
        staleCount++
      }
    }
    this.#staleCount = staleCount
  }

  /** Takes the markers of the row before back. */
  clearStale(positionCount: number, emit: EmitEntry): void {
    for (let position = 0; position < positionCount; position++) {
      if (this.#states[position] !== STALE) continue
      this.#states[position] = ABSENT
      emit(position, SampleKind.ABSENT)
    }
    this.#staleCount = 0
  }
}
