import { type ColumnRoom, FreeListRoom } from './column-room.ts'
import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'
import { MemoryStepKernels, type StepKernels } from './steps.ts'
import { createWindowKernels, scalarWindowKernels, WINDOW_WORK_BYTES, type WindowKernels } from './window.ts'

const OWN_COLUMN_SAMPLES_MAX = 1 << 16
/** Columns of steps that lie in the kernels' own memory, which is never given back; more of them lie elsewhere. */
const OWN_STEPS_BYTES = 16 << 20

/** Columns of samples that are kept in the kernels' own memory. */
const OWN_ROOM_BYTES = 24 << 20

/**
 * Kernels with a memory of their own, made when they are first used; for columns anywhere, least work where these are kept in
 * `columns`, a room in that memory.
 */
export function ownWindowKernels(): WindowKernels & { readonly columns: () => ColumnRoom } {
  return new OwnWindowKernels()
}

class OwnWindowKernels implements WindowKernels, StepKernels {
  readonly steps = this
  #windows: WindowKernels | undefined
  #columns: ColumnRoom | undefined

  get #made(): WindowKernels {
    if (this.#windows !== undefined) return this.#windows
    const bytes = WINDOW_WORK_BYTES + 8 * OWN_COLUMN_SAMPLES_MAX
    // Kernels may read a little beyond the end of a column.
    const stepsAt = Math.ceil((KERNEL_RESERVED_BYTES + bytes + 64) / 8) * 8
    const roomAt = stepsAt + OWN_STEPS_BYTES
    const total = roomAt + OWN_ROOM_BYTES
    // Pages that are never touched take no memory.
    const memory = createKernelMemory({ initialBytes: total + 64, maximumBytes: total + 64 })
    const kernels = instantiateKernels(memory)
    const steps = new MemoryStepKernels(kernels, memory.buffer, stepsAt, roomAt)
    this.#columns = new FreeListRoom(memory.buffer, roomAt, OWN_ROOM_BYTES)
    this.#windows = createWindowKernels({ memory, kernels, offset: KERNEL_RESERVED_BYTES, bytes, steps })
    return this.#windows
  }

  columns = (): ColumnRoom => {
    if (this.#columns === undefined) void this.#made
    return this.#columns!
  }

  startOver(): void {
    this.#windows?.steps.startOver()
  }

  bounds = scalarWindowKernels.bounds
  sum: WindowKernels['sum'] = (values, bounds, out) => this.#made.sum(values, bounds, out)
  avg: WindowKernels['avg'] = (values, bounds, out) => this.#made.avg(values, bounds, out)
  min: WindowKernels['min'] = (values, bounds, out) => this.#made.min(values, bounds, out)
  max: WindowKernels['max'] = (values, bounds, out) => this.#made.max(values, bounds, out)
  rate: WindowKernels['rate'] = (values, timestampsMs, bounds, rangeMs, mode, out) =>
    this.#made.rate(values, timestampsMs, bounds, rangeMs, mode, out)
  quantile: WindowKernels['quantile'] = (values, bounds, phi, out) => this.#made.quantile(values, bounds, phi, out)
  take: StepKernels['take'] = (bytes) => this.#made.steps.take(bytes)
  clear: StepKernels['clear'] = (column) => this.#made.steps.clear(column)
  countPresent: StepKernels['countPresent'] = (column) => this.#made.steps.countPresent(column)
  addSum: StepKernels['addSum'] = (sums, column) => this.#made.steps.addSum(sums, column)
  gather: StepKernels['gather'] = (values, picks, out) => this.#made.steps.gather(values, picks, out)
  combine: StepKernels['combine'] = (op, left, right, out) => this.#made.steps.combine(op, left, right, out)
  quantileBounds: StepKernels['quantileBounds'] = (columns, phi) => this.#made.steps.quantileBounds(columns, phi)
}
