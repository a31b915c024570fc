import { Turns } from './turns.ts'

/** For tests of long work: others have their turn whenever it is asked, and one of the turns lasts until `goOn`. */
export class HeldTurns extends Turns {
  /** So far. */
  taken = 0
  /** Resolves when the work is held. */
  readonly held: Promise<void>
  readonly #holdAt: number
  readonly #goingOn: Promise<void>
  #tellHeld: () => void = () => undefined
  #goOn: () => void = () => undefined

  /** @param holdAt number of the turn, from 1 on; 0: none */
  constructor(holdAt: number) {
    super()
    this.#holdAt = holdAt
    this.held = new Promise((resolve) => (this.#tellHeld = resolve))
    this.#goingOn = new Promise((resolve) => (this.#goOn = resolve))
  }

  override get isOver(): boolean {
    return true
  }

  override async next(): Promise<void> {
    if (++this.taken !== this.#holdAt) return
    this.#tellHeld()
    await this.#goingOn
  }

  goOn(): void {
    this.#goOn()
  }
}
