/** What must be in the store after any crash: everything acknowledged, nothing twice, nothing half. */
import { SERIES, STEP_MS, valueAt } from './remote-writer.ts'

/** Steps from one to another (exclusive). */
export interface Steps {
  readonly from: number
  readonly to: number
}

export interface Deletion extends Steps {
  readonly series: number
}

/** Times and values of each series, as a query answers. */
export type Found = readonly (readonly (readonly [seconds: number, value: string])[])[]

export class Expectation {
  /** Steps below it were acknowledged. */
  acknowledged = 0
  /** Sent, without an answer yet. */
  writing: Steps | undefined
  deleting: Deletion | undefined
  readonly #deletions: Deletion[] = []
  readonly #baseMs: number
  readonly #retentionMs: number

  constructor(baseMs: number, retentionMs: number) {
    this.#baseMs = baseMs
    this.#retentionMs = retentionMs
  }

  /** Deletions that were carried out. */
  get deletionCount(): number {
    return this.#deletions.length
  }

  written(): void {
    this.acknowledged = this.writing!.to
    this.writing = undefined
  }

  deleted(): void {
    this.#deletions.push(this.deleting!)
    this.deleting = undefined
  }

  /** @returns what is wrong; then takes what was under way for what it turned out to be */
  check(found: Found): string[] {
    const faults: string[] = []
    const values = found.map((samples, series) => this.#values(samples, series, faults))
    const isIn = (series: number, step: number): boolean => values[series]!.has(step)
    this.#settleWrite(isIn, faults)
    this.#settleDeletion(isIn, faults)
    // What is older than that may be gone, and blocks go as a whole.
    const kept = Math.max(0, this.acknowledged - this.#retentionMs / STEP_MS)
    for (let series = 0; series < SERIES; series++) {
      for (let step = kept; step < this.acknowledged; step++) {
        if (!isIn(series, step) && !this.#isDeleted(series, step)) faults.push(`${series} at step ${step} is lost`)
      }
      for (const step of values[series]!.keys()) {
        if (this.#isDeleted(series, step)) faults.push(`${series} at step ${step} was deleted and is there`)
      }
    }
    return faults
  }

  #values(samples: Found[number], series: number, faults: string[]): Map<number, string> {
    const values = new Map<number, string>()
    let last = -1
    for (const [seconds, value] of samples) {
      const step = (Math.round(seconds * 1000) - this.#baseMs) / STEP_MS
      if (!(step > last)) faults.push(`${series} at step ${step} comes after ${last}`)
      last = step
      values.set(step, value)
      if (Number(value) !== valueAt(series, step)) faults.push(`${series} at step ${step} is ${value}`)
    }
    return values
  }

  /** What was not answered is there as a whole or not at all. The sender will send it again: it is taken as it is. */
  #settleWrite(isIn: (series: number, step: number) => boolean, faults: string[]): void {
    const { from, to } = this.writing ?? { from: this.acknowledged, to: this.acknowledged }
    const all = (to - from) * SERIES
    let present = 0
    for (let step = from; step < to; step++) {
      for (let series = 0; series < SERIES; series++) if (isIn(series, step)) present++
    }
    if (present !== 0 && present !== all) faults.push(`${present} samples of ${all} from step ${from} on are there`)
    if (present > 0) this.acknowledged = to
    this.writing = undefined
  }

  #settleDeletion(isIn: (series: number, step: number) => boolean, faults: string[]): void {
    const { deleting } = this
    this.deleting = undefined
    if (deleting === undefined) return
    let present = 0
    let left = 0
    for (let step = deleting.from; step < deleting.to; step++) {
      if (this.#isDeleted(deleting.series, step)) continue
      left++
      if (isIn(deleting.series, step)) present++
    }
    if (present !== 0 && present !== left) faults.push(`${left - present} samples of ${left} are deleted`)
    if (present === 0) this.#deletions.push(deleting)
  }

  #isDeleted(series: number, step: number): boolean {
    return this.#deletions.some((one) => one.series === series && step >= one.from && step < one.to)
  }
}
