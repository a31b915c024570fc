import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'

/** The most bytes that a value takes. */
export const SAMPLE_BYTES_MAX = 32
/** The most bytes that a point takes, its comma included. */
export const POINT_BYTES_MAX = 64

const BLOCK_POINTS = 2048
const TIMESTAMPS_AT = KERNEL_RESERVED_BYTES
const VALUES_AT = TIMESTAMPS_AT + BLOCK_POINTS * 8
const TEXT_AT = VALUES_AT + BLOCK_POINTS * 8
const MEMORY_BYTES = TEXT_AT + BLOCK_POINTS * POINT_BYTES_MAX

/** Writes numbers as the query API prints samples, as ASCII bytes. Owns a small memory; one per thread is enough. */
export class NumberFormatter {
  readonly #formatSample: (value: number, out: number) => number
  readonly #formatPoints: (timestampsMs: number, values: number, count: number, out: number) => number
  readonly #timestampsMs: Float64Array
  readonly #values: Float64Array
  readonly #text: Uint8Array

  constructor() {
    const memory = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES })
    const { formatSample, formatPoints } = instantiateKernels(memory)
    this.#formatSample = formatSample!
    this.#formatPoints = formatPoints!
    this.#timestampsMs = new Float64Array(memory.buffer, TIMESTAMPS_AT, BLOCK_POINTS)
    this.#values = new Float64Array(memory.buffer, VALUES_AT, BLOCK_POINTS)
    this.#text = new Uint8Array(memory.buffer, TEXT_AT, BLOCK_POINTS * POINT_BYTES_MAX)
  }

  /** Writes one value at `at`, where `SAMPLE_BYTES_MAX` bytes are free, and returns the end. */
  writeSample(value: number, out: Uint8Array, at: number): number {
    const length = this.#formatSample(value, TEXT_AT) - TEXT_AT
    for (let i = 0; i < length; i++) out[at + i] = this.#text[i]!
    return at + length
  }

  /**
   * Writes the points `[seconds,"value"]` from `from` to `to`, commas between them, and returns the end.
   *
   * @param timestampsMs whole milliseconds
   * @param out `POINT_BYTES_MAX` bytes a point are free from `at` on
   */
  writePoints(
    timestampsMs: Float64Array,
    values: Float64Array,
    { from, to }: { readonly from: number; readonly to: number },
    out: Uint8Array,
    at: number,
  ): number {
    let end = at
    for (let start = from; start < to; start += BLOCK_POINTS) {
      const count = Math.min(BLOCK_POINTS, to - start)
      this.#timestampsMs.set(timestampsMs.subarray(start, start + count))
      this.#values.set(values.subarray(start, start + count))
      const length = this.#formatPoints(TIMESTAMPS_AT, VALUES_AT, count, TEXT_AT) - TEXT_AT
      if (start > from) out[end++] = 0x2c
      out.set(this.#text.subarray(0, length), end)
      end += length
    }
    return end
  }
}
