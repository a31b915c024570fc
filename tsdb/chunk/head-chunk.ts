import { crc32 } from 'node:zlib'

// Format: docs/formats/chunk.md.
const CHUNK_MAGIC = 0x4843_5442 // "BTCH"
const CHUNK_HEADER_BYTES = 56
const BLOCK_POSITIONS = 64
const CHECKED_FROM = 12

interface ChunkHeader {
  readonly group: number
  readonly rowCount: number
  readonly positionCount: number
  readonly sampleCount: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to

/**
 * Puts a chunk together from its packed columns.
 *
 * @param parts the packed columns of all positions, one after the other
 * @param lengths bytes of each; 0 where the position holds no sample
 */
export function encodeChunk(
  header: ChunkHeader,
  timestamps: Uint8Array,
  lengths: Uint32Array,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const skips = new Uint32Array(Math.ceil(header.positionCount / BLOCK_POSITIONS))
  const longest = addUp(lengths, skips)
  const dataBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const width = longest < 1 << 8 ? 1 : longest < 1 << 16 ? 2 : 4
  const skipsAt = align(CHUNK_HEADER_BYTES + timestamps.length, 4)
  const lengthsAt = skipsAt + skips.byteLength
  const dataAt = align(lengthsAt + header.positionCount * width, 4)
  const bytes = new Uint8Array(align(dataAt + dataBytes, 8))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, CHUNK_MAGIC, true)
  view.setUint32(4, bytes.length, true)
  view.setUint32(12, header.group, true)
  view.setUint32(16, header.rowCount, true)
  view.setUint32(20, header.positionCount, true)
  view.setUint32(24, header.sampleCount, true)
  view.setUint32(28, timestamps.length, true)
  view.setFloat64(32, header.minTimeMs, true)
  view.setFloat64(40, header.maxTimeMs, true)
  view.setUint8(48, width)
  view.setUint32(52, dataAt, true)
  bytes.set(timestamps, CHUNK_HEADER_BYTES)
  new Uint32Array(bytes.buffer, skipsAt, skips.length).set(skips)
  const Lengths = width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array
  new Lengths(bytes.buffer, lengthsAt, header.positionCount).set(lengths)
  let end = dataAt
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  view.setUint32(8, crc32(bytes.subarray(CHECKED_FROM)), true)
  return bytes
}

/** Fills `skips` with where each block of columns starts. @returns the greatest length */
function addUp(lengths: Uint32Array, skips: Uint32Array): number {
  let longest = 0
  let offset = 0
  for (let position = 0; position < lengths.length; position++) {
    const length = lengths[position]!
    if (position % BLOCK_POSITIONS === 0) skips[position / BLOCK_POSITIONS] = offset
    if (length > longest) longest = length
    offset += length
  }
  return longest
}

/** Length of the intact chunk at `at`, or 0 when there is none. */
export function chunkLengthAt(bytes: Uint8Array, at: number): number {
  if (at + CHUNK_HEADER_BYTES > bytes.length) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  const length = view.getUint32(4, true)
  if (view.getUint32(0, true) !== CHUNK_MAGIC || length < CHUNK_HEADER_BYTES || at + length > bytes.length) return 0
  return crc32(bytes.subarray(at + CHECKED_FROM, at + length)) === view.getUint32(8, true) ? length : 0
}

/** Finds columns inside a chunk that starts at `at` of `bytes` (a view of any memory, shared or not). */
export class ChunkView {
  readonly header: ChunkHeader
  readonly timestampsAt: number
  readonly timestampsEnd: number
  readonly #view: DataView
  readonly #skipsAt: number
  readonly #lengthsAt: number
  readonly #width: number
  readonly #dataAt: number

  constructor(buffer: ArrayBufferLike, at: number) {
    const view = new DataView(buffer)
    this.#view = view
    this.header = {
      group: view.getUint32(at + 12, true),
      rowCount: view.getUint32(at + 16, true),
      positionCount: view.getUint32(at + 20, true),
      sampleCount: view.getUint32(at + 24, true),
      minTimeMs: view.getFloat64(at + 32, true),
      maxTimeMs: view.getFloat64(at + 40, true),
    }
    this.#width = view.getUint8(at + 48)
    this.timestampsAt = at + CHUNK_HEADER_BYTES
    this.timestampsEnd = this.timestampsAt + view.getUint32(at + 28, true)
    this.#skipsAt = at + align(this.timestampsEnd - at, 4)
    this.#lengthsAt = this.#skipsAt + 4 * Math.ceil(this.header.positionCount / BLOCK_POSITIONS)
    this.#dataAt = at + view.getUint32(at + 52, true)
  }

  /** Bytes of a position's column; 0 when it holds no sample. */
  lengthOf(position: number): number {
    if (position >= this.header.positionCount) return 0
    const at = this.#lengthsAt + position * this.#width
    if (this.#width === 1) return this.#view.getUint8(at)
    return this.#width === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true)
  }

  /** Where a position's column starts, in the buffer. */
  offsetOf(position: number): number {
    const first = position - (position % BLOCK_POSITIONS)
    let offset = this.#view.getUint32(this.#skipsAt + first / 16, true)
    for (let other = first; other < position; other++) offset += this.lengthOf(other)
    return this.#dataAt + offset
  }
}
