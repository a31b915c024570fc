// Hot: a step moves a window by a few samples, most often, so that sorting it anew would be most of the work.
import { sortNaNFirst } from './quantile.ts'

/** The samples of a window in order, NaN first, kept in order while the window moves on. */
export class SortedWindow {
  readonly #values: Float64Array
  #sorted = new Float64Array(0)
  #from = 0
  #to = 0

  constructor(values: Float64Array) {
    this.#values = values
  }

  /** Samples [from, to), sorted; neither may be less than last time. A view that is valid until the next call. */
  moveTo(from: number, to: number): Float64Array {
    const changed = from - this.#from + (to - this.#to)
    // Each change moves half of the window; sorting takes some 50 times as long as that.
    if (from < this.#from || to < this.#to || from >= this.#to || changed > CHANGES_MAX) this.#sortAnew(from, to)
    else {
      for (let i = this.#from; i < from; i++) this.#remove(this.#values[i]!, this.#to - i)
      for (let i = this.#to; i < to; i++) this.#insert(this.#values[i]!, i - from)
    }
    this.#from = from
    this.#to = to
    return this.#sorted.subarray(0, to - from)
  }

  #sortAnew(from: number, to: number): void {
    this.#makeRoom(to - from)
    this.#sorted.set(this.#values.subarray(from, to))
    sortNaNFirst(this.#sorted.subarray(0, to - from))
  }

  #remove(value: number, count: number): void {
    const at = placeOf(this.#sorted, count, value)
    this.#sorted.copyWithin(at, at + 1, count)
  }

  #insert(value: number, count: number): void {
    this.#makeRoom(count + 1)
    const at = placeOf(this.#sorted, count, value)
    this.#sorted.copyWithin(at + 1, at, count)
    this.#sorted[at] = value
  }

  #makeRoom(count: number): void {
    if (count <= this.#sorted.length) return
    const grown = new Float64Array(2 * count)
    grown.set(this.#sorted)
    this.#sorted = grown
  }
}

const CHANGES_MAX = 32

/** First index of `count` sorted values that is not less than `value`; NaN is less than anything else. */
function placeOf(sorted: Float64Array, count: number, value: number): number {
  if (Number.isNaN(value)) return 0
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    const x = sorted[middle]!
    if (x < value || x !== x) low = middle + 1
    else high = middle
  }
  return low
}
