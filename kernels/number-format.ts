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
const PAGE_BYTES = 1 << 16
const PREFIXES_AT = TEXT_AT + BLOCK_POINTS * POINT_BYTES_MAX + WORD_BYTES
const PREFIX_BYTES = 32
/** The query API gives no more points of a series. */
const PREFIXES_MAX = 11_001
// A kernels' memory has no fewer bytes.
const MEMORY_BYTES = Math.max(1 << 20, PREFIXES_AT + PREFIXES_MAX * PREFIX_BYTES)

/** Writes numbers as the query API prints samples, as ASCII bytes. Owns a small memory; one per thread is enough. */
export class NumberFormatter {
  readonly #memory: WebAssembly.Memory
  /** Views of the memory that rooms lie in, from each time that it grew. */
  readonly #roomBuffers = new WeakSet<ArrayBufferLike>()
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

  /** @param roomBytesMax of all rooms together; they cost nothing before they are allocated */
  constructor(roomBytesMax = 0) {
    const memory = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES + roomBytesMax })
    this.#memory = memory
    const { formatSample, formatPoints, formatPrefixes, formatPrefixedPoints } = instantiateKernels(memory)
    this.#formatSample = formatSample!
    this.#formatPoints = formatPoints!
    this.#formatPrefixes = formatPrefixes!
    this.#formatPrefixedPoints = formatPrefixedPoints!
    this.#timestampsMs = new Float64Array(memory.buffer, TIMESTAMPS_AT, BLOCK_POINTS)
    this.#values = new Float64Array(memory.buffer, VALUES_AT, BLOCK_POINTS)
    this.#text = new Uint8Array(memory.buffer, TEXT_AT, PREFIXES_AT - TEXT_AT)
  }

  /** Shared memory where points are written in place, for good. @returns `undefined` where it would be too much */
  allocateRoom(bytes: number): Uint8Array | undefined {
    try {
      const at = this.#memory.grow(Math.ceil(bytes / PAGE_BYTES)) * PAGE_BYTES
      this.#roomBuffers.add(this.#memory.buffer)
      return new Uint8Array(this.#memory.buffer, at, bytes)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return undefined
    }
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
    const isInPlace = at > 0 && this.#roomBuffers.has(out.buffer)
    const before = out[at - 1]!
    for (let start = from; start < to; start += BLOCK_POINTS) {
      const count = Math.min(BLOCK_POINTS, to - start)
      this.#values.set(values.subarray(start, start + count))
      let first: number
      let last: number
      if (isPrefixed) {
        // The first comma is left out.
        const left = start === from ? 1 : 0
        const textAt = isInPlace ? out.byteOffset + end - left : textLike(out, end - left)
        last = this.#formatPrefixedPoints(PREFIXES_AT + start * PREFIX_BYTES, VALUES_AT, count, textAt)
        first = textAt + left
      } else {
        this.#timestampsMs.set(timestampsMs.subarray(start, start + count))
        if (start > from) out[end++] = 0x2c
        first = isInPlace ? out.byteOffset + end : textLike(out, end)
        last = this.#formatPoints(TIMESTAMPS_AT, VALUES_AT, count, first)
      }
      if (!isInPlace) out.set(this.#text.subarray(first - TEXT_AT, last - TEXT_AT), end)
      end += last - first
    }
    // In place it is the comma that was left out.
    if (isInPlace) out[at - 1] = before
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
