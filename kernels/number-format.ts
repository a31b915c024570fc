import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'

/** The most bytes that a value takes. */
export const SAMPLE_BYTES_MAX = 32
/** The most bytes that a point takes, its comma included. */
export const POINT_BYTES_MAX = 64

const BLOCK_POINTS = 2048
const TIMESTAMPS_AT = KERNEL_RESERVED_BYTES
const VALUES_AT = TIMESTAMPS_AT + BLOCK_POINTS * 8
const TEXT_AT = VALUES_AT + BLOCK_POINTS * 8
const WORD_BYTES = 8
const PREFIXES_AT = TEXT_AT + BLOCK_POINTS * POINT_BYTES_MAX + WORD_BYTES
const PREFIX_BYTES = 32
/** The query API gives no more points of a series. */
const PREFIXES_MAX = 11_001
const MEMORY_BYTES = PREFIXES_AT + PREFIXES_MAX * PREFIX_BYTES

/** Writes numbers as the query API prints samples, as ASCII bytes. Owns a small memory; one per thread is enough. */
export class NumberFormatter {
  readonly #formatSample: (value: number, out: number) => number
  readonly #formatPoints: (timestampsMs: number, values: number, count: number, out: number) => number
  readonly #formatPrefixes: (timestampsMs: number, count: number, out: number) => void
  readonly #formatPrefixedPoints: (prefixes: number, values: number, count: number, out: number) => number
  readonly #timestampsMs: Float64Array
  readonly #values: Float64Array
  readonly #text: Uint8Array
  /** The column that points were last written of, and whether its times lie ready. */
  #lastTimes: Float64Array | undefined
  #hasPrefixes = false

  constructor() {
    const memory = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES })
    const { formatSample, formatPoints, formatPrefixes, formatPrefixedPoints } = instantiateKernels(memory)
    this.#formatSample = formatSample!
    this.#formatPoints = formatPoints!
    this.#formatPrefixes = formatPrefixes!
    this.#formatPrefixedPoints = formatPrefixedPoints!
    this.#timestampsMs = new Float64Array(memory.buffer, TIMESTAMPS_AT, BLOCK_POINTS)
    this.#values = new Float64Array(memory.buffer, VALUES_AT, BLOCK_POINTS)
    this.#text = new Uint8Array(memory.buffer, TEXT_AT, PREFIXES_AT - TEXT_AT)
  }

  /** Writes one value at `at`, where `SAMPLE_BYTES_MAX` bytes are free, and returns the end. */
  writeSample(value: number, out: Uint8Array, at: number): number {
    const length = this.#formatSample(value, TEXT_AT) - TEXT_AT
    for (let i = 0; i < length; i++) out[at + i] = this.#text[i]!
    return at + length
  }

  /**
   * Writes the points `[seconds,"value"]` from `from` to `to`, commas between them, and returns the end. Series of a range query share
   * their timestamps: these are written once.
   *
   * @param timestampsMs whole milliseconds; not to be changed while the same array is given again and again
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
    const isPrefixed = this.#preparePrefixes(timestampsMs)
    for (let start = from; start < to; start += BLOCK_POINTS) {
      const count = Math.min(BLOCK_POINTS, to - start)
      this.#values.set(values.subarray(start, start + count))
      let first: number
      let last: number
      if (isPrefixed) {
        // The first comma is left out.
        const left = start === from ? 1 : 0
        const textAt = textLike(out, end - left)
        last = this.#formatPrefixedPoints(PREFIXES_AT + start * PREFIX_BYTES, VALUES_AT, count, textAt)
        first = textAt + left
      } else {
        this.#timestampsMs.set(timestampsMs.subarray(start, start + count))
        if (start > from) out[end++] = 0x2c
        first = textLike(out, end)
        last = this.#formatPoints(TIMESTAMPS_AT, VALUES_AT, count, first)
      }
      out.set(this.#text.subarray(first - TEXT_AT, last - TEXT_AT), end)
      end += last - first
    }
    return end
  }

  /** Whether the times of the column lie ready; they are made so when the column comes for the second time in a row. */
  #preparePrefixes(timestampsMs: Float64Array): boolean {
    if (timestampsMs !== this.#lastTimes) {
      this.#lastTimes = timestampsMs
      this.#hasPrefixes = false
      return false
    }
    const { length } = timestampsMs
    if (this.#hasPrefixes || length > PREFIXES_MAX) return this.#hasPrefixes
    for (let start = 0; start < length; start += BLOCK_POINTS) {
      const count = Math.min(BLOCK_POINTS, length - start)
      this.#timestampsMs.set(timestampsMs.subarray(start, start + count))
      this.#formatPrefixes(TIMESTAMPS_AT, count, PREFIXES_AT + start * PREFIX_BYTES)
    }
    this.#hasPrefixes = true
    return true
  }
}

/** Where text is written that will be copied to a place: shared memory is copied byte by byte unless both are aligned alike. */
const textLike = (out: Uint8Array, at: number): number => TEXT_AT + ((out.byteOffset + at) & (WORD_BYTES - 1))
