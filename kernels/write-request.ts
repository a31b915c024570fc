import { randomBytes } from 'node:crypto'
import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES } from './instance.ts'

/** Rows that one call finds at most. */
const ROWS_MAX = 2048
/** Words of a row, see `PlainSeries`. */
const ROW_WORDS = 8
/** Keys of the hash: for 2048 bytes of labels, 48 bytes for its second half's shift, and nine multipliers of 8 bytes. */
export const HASH_KEY_BYTES = 2048 + 48 + 72
const INPUT_BYTES_MAX = 2 << 20
const OUTPUT_BYTES_MAX = 8 << 20
/** The kernels touch so many bytes behind an area at most. */
const SLACK_BYTES = 64

const KEYS_AT = KERNEL_RESERVED_BYTES
const ROWS_AT = KEYS_AT + 4096
const TIMES_AT = ROWS_AT + ROWS_MAX * ROW_WORDS * 4
const INPUT_AT = TIMES_AT + ROWS_MAX * 8
const OUTPUT_AT = INPUT_AT + INPUT_BYTES_MAX + SLACK_BYTES
const MEMORY_BYTES = OUTPUT_AT + OUTPUT_BYTES_MAX + SLACK_BYTES

/**
 * Unpacks the body of a remote write request and finds the series in it that are written as all senders do: labels in front
 * (2048 bytes at most), then exactly one sample, its value first. Owns its memory, of which only what is used becomes resident.
 *
 * The hash of a series' label bytes has 96 bits and random keys: sums of products of keyed words, for which no input is worse
 * than another, so nobody outside can make two series meet.
 */
export class WriteRequestKernels {
  /**
   * What `scan` found, eight words a series: three of the hash, then places in the message: where the series starts, where its
   * labels end, where it ends itself, where its value stands (-1: left out, so 0), and one that is not used.
   */
  readonly rows: Int32Array
  /** Of the same series, in milliseconds. */
  readonly timestampsMs: Float64Array
  readonly #bytes: Uint8Array
  readonly #unpack: (input: number, inputLength: number, output: number, outputLength: number) => number
  readonly #scan: (...args: number[]) => number

  /** @param keys `HASH_KEY_BYTES` bytes that nobody can guess */
  constructor(keys: Uint8Array = randomBytes(HASH_KEY_BYTES)) {
    const memory = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES })
    const { snappyUnpack, writeRequestScan } = instantiateKernels(memory)
    this.#unpack = snappyUnpack!
    this.#scan = writeRequestScan!
    this.#bytes = new Uint8Array(memory.buffer)
    this.#bytes.set(keys, KEYS_AT)
    this.rows = new Int32Array(memory.buffer, ROWS_AT, ROWS_MAX * ROW_WORDS)
    this.timestampsMs = new Float64Array(memory.buffer, TIMES_AT, ROWS_MAX)
  }

  /**
   * @param pieces of a block of snappy
   * @returns the message, which stays until the next call; `undefined` when it is too large or no such block
   */
  unpack(pieces: readonly Uint8Array[]): Uint8Array | undefined {
    let end = INPUT_AT
    for (const piece of pieces) {
      if (end + piece.length > INPUT_AT + INPUT_BYTES_MAX) return undefined
      this.#bytes.set(piece, end)
      end += piece.length
    }
    let at = INPUT_AT
    let length = 0
    for (let factor = 1; ; factor *= 128) {
      if (at === end || factor > 2 ** 28) return undefined
      const byte = this.#bytes[at++]!
      length += (byte & 0x7f) * factor
      if (byte < 0x80) break
    }
    if (length > OUTPUT_BYTES_MAX || this.#unpack(at, end - at, OUTPUT_AT, length) === 0) return undefined
    return this.#bytes.subarray(OUTPUT_AT, OUTPUT_AT + length)
  }

  /**
   * Finds series in the message that was unpacked last, from `from` on, up to the first field that is something else.
   *
   * @returns how many rows are valid; the next field starts where the last of them ends
   */
  scan(from: number, to: number): number {
    return this.#scan(OUTPUT_AT, OUTPUT_AT + from, OUTPUT_AT + to, ROWS_AT, TIMES_AT, ROWS_MAX, KEYS_AT)
  }
}
