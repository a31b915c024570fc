/** The evaluation times of a (sub)query: `startMs + i * stepMs` for i < count. */
export class StepGrid {
  readonly startMs: number
  readonly stepMs: number
  readonly count: number
  #timesMs: Float64Array | undefined

  constructor(startMs: number, stepMs: number, count: number) {
    this.startMs = startMs
    this.stepMs = stepMs
    this.count = count
  }

  static range(startMs: number, endMs: number, stepMs: number): StepGrid {
    return new StepGrid(startMs, stepMs, endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1)
  }

  static instant(timeMs: number): StepGrid {
    return new StepGrid(timeMs, 1, 1)
  }

  get endMs(): number {
    return this.startMs + Math.max(0, this.count - 1) * this.stepMs
  }

  timeMs(step: number): number {
    return this.startMs + step * this.stepMs
  }

  /** All times; one shared array, not to be written. */
  get timesMs(): Float64Array {
    if (this.#timesMs === undefined) {
      this.#timesMs = new Float64Array(this.count)
      for (let i = 0; i < this.count; i++) this.#timesMs[i] = this.startMs + i * this.stepMs
    }
    return this.#timesMs
  }
}
