import type { KernelExports } from './instance.ts'
import { addSumTwin, countPresentTwin, type StepSums } from './steps-twin.ts'

/** One value per step of a query, as its operators pass them on. */
export interface StepColumn {
  /** Defined where `present` is 1. */
  readonly values: Float64Array
  readonly present: Uint8Array
  /** Where both lie in the kernels' memory, in bytes; -1 where they lie elsewhere. */
  readonly valuesAt: number
  readonly presentAt: number
}

/** Sums of columns, and where they lie as in `StepColumn`: `sums`, `errors` and `seen` one after the other. */
export type PlacedSums = StepSums & { readonly at: number }

/** A piece of memory, 8-byte aligned, with anything in it. */
export interface StepMemoryPiece {
  readonly buffer: ArrayBufferLike
  /** Where the piece begins in it. */
  readonly offset: number
}

/** What a quantile lies between at each step, and of how many values; -1 where one is NaN, so that it is not known. */
export interface QuantileBounds {
  readonly counts: Int32Array
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/** Operations on columns of steps, in a memory where columns may lie. */
export interface StepKernels {
  /** Gives up all that was taken before: columns in it are no longer good. */
  startOver(): void
  /** `undefined` where no more is to be had. */
  take(bytes: number): StepMemoryPiece | undefined
  /** Makes nothing present. */
  clear(column: Pick<StepColumn, 'present' | 'presentAt'>): void
  countPresent(column: StepColumn): number
  addSum(sums: PlacedSums, column: StepColumn): void
  /** @returns `undefined` where the columns do not lie in the memory; good until the next call */
  quantileBounds(columns: readonly StepColumn[], phi: number): QuantileBounds | undefined
  /**
   * Puts the samples that the steps see into a cleared column.
   *
   * @returns false, with nothing done, where one of the three does not lie in the memory
   */
  gather(values: Float64Array, picks: StepPicks, out: StepColumn): boolean
  /** Two columns step by step, present where both are. @returns as `gather` */
  combine(op: CombineOp, left: StepColumn, right: StepColumn, out: StepColumn): boolean
}

/** Numbers of samples, one for each step, -1 where it sees none; and where they lie in the memory, -1 where they do not. */
export interface StepPicks {
  readonly indexes: Int32Array
  readonly at: number
}

/** The numbers are those of the kernel. */
export const CombineOp = { ADD: 0, SUBTRACT: 1, MULTIPLY: 2, DIVIDE: 3 } as const
export type CombineOp = (typeof CombineOp)[keyof typeof CombineOp]

/** Plain TypeScript, for columns anywhere. */
export const scalarStepKernels: StepKernels = {
  startOver: () => undefined,
  take: () => undefined,
  clear: ({ present }) => void present.fill(0),
  countPresent: ({ present }) => countPresentTwin(present),
  addSum: (sums, { values, present }) => addSumTwin(sums, values, present),
  quantileBounds: () => undefined,
  gather: () => false,
  combine: () => false,
}

/** WebAssembly where columns lie in its memory, the twins elsewhere. Answers are equal bit for bit. */
export class MemoryStepKernels implements StepKernels {
  readonly #buffer: ArrayBufferLike
  readonly #from: number
  readonly #end: number
  #next: number
  readonly #clear: (present: number, steps: number) => void
  readonly #count: (present: number, steps: number) => number
  readonly #addSum: (sums: number, errors: number, seen: number, values: number, present: number, steps: number) => void
  readonly #quantile: (...places: number[]) => void
  readonly #gather: (values: number, indexes: number, steps: number, out: number, present: number) => void
  readonly #combine: (...places: number[]) => void

  /** @param from where in the memory columns may lie, up to `end` */
  constructor(kernels: KernelExports, buffer: ArrayBufferLike, from: number, end: number) {
    this.#buffer = buffer
    this.#from = Math.ceil(from / 8) * 8
    this.#end = end
    this.#next = this.#from
    this.#clear = kernels.stepsClear!
    this.#count = kernels.stepsCount!
    this.#addSum = kernels.stepsAddSum!
    this.#quantile = kernels.stepsQuantile!
    this.#gather = kernels.stepsGather!
    this.#combine = kernels.stepsCombine!
  }

  startOver(): void {
    this.#next = this.#from
  }

  take(bytes: number): StepMemoryPiece | undefined {
    const offset = this.#next
    const next = offset + Math.ceil(bytes / 8) * 8
    if (next > this.#end) return undefined
    this.#next = next
    return { buffer: this.#buffer, offset }
  }

  clear({ present, presentAt }: Pick<StepColumn, 'present' | 'presentAt'>): void {
    // Of memory that threads share V8 fills one byte after the other.
    if (presentAt < 0) present.fill(0)
    else this.#clear(presentAt, present.length)
  }

  countPresent({ present, presentAt }: StepColumn): number {
    return presentAt < 0 ? countPresentTwin(present) : this.#count(presentAt, present.length)
  }

  addSum(sums: PlacedSums, { values, present, valuesAt, presentAt }: StepColumn): void {
    const { at } = sums
    const steps = values.length
    if (at < 0 || valuesAt < 0) addSumTwin(sums, values, present)
    else this.#addSum(at, at + 8 * steps, at + 16 * steps, valuesAt, presentAt, steps)
  }

  gather(values: Float64Array, { indexes, at }: StepPicks, { valuesAt, presentAt }: StepColumn): boolean {
    if (at < 0 || valuesAt < 0 || values.buffer !== this.#buffer) return false
    this.#gather(values.byteOffset, at, indexes.length, valuesAt, presentAt)
    return true
  }

  combine(op: CombineOp, left: StepColumn, right: StepColumn, out: StepColumn): boolean {
    if (left.valuesAt < 0 || right.valuesAt < 0 || out.valuesAt < 0) return false
    const [leftAt, rightAt, steps] = [left.valuesAt, right.valuesAt, out.values.length]
    this.#combine(op, leftAt, left.presentAt, rightAt, right.presentAt, steps, out.valuesAt, out.presentAt)
    return true
  }

  quantileBounds(columns: readonly StepColumn[], phi: number): QuantileBounds | undefined {
    const count = columns.length
    const steps = columns[0]!.values.length
    for (const { valuesAt } of columns) if (valuesAt < 0) return undefined
    const before = this.#next
    const piece = this.take(8 * count + 64 * count + 24 * steps)
    this.#next = before
    if (piece === undefined) return undefined
    const { buffer, offset } = piece
    const places = new Uint32Array(buffer, offset, 2 * count)
    for (let i = 0; i < count; i++) {
      places[2 * i] = columns[i]!.valuesAt
      places[2 * i + 1] = columns[i]!.presentAt
    }
    const lowerAt = offset + 72 * count
    const upperAt = lowerAt + 8 * steps
    const countsAt = upperAt + 8 * steps
    this.#quantile(offset, count, phi, steps, offset + 8 * count, countsAt, lowerAt, upperAt)
    return {
      counts: new Int32Array(buffer, countsAt, steps),
      lower: new Float64Array(buffer, lowerAt, steps),
      upper: new Float64Array(buffer, upperAt, steps),
    }
  }
}
