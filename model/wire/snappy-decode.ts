import { WireFormatError } from './wire-error.ts'

// The densest element of the format turns three bytes into 64.
const EXPANSION_MAX = 64 / 3
/** Literals up to this length are copied word by word: a call into the engine costs more. */
const LOOP_BYTES_MAX = 192

/**
 * Unpacks one block of snappy (not its framed form). The stated length is believed only once the input is long enough for it.
 *
 * @param maxBytes of the unpacked form
 * @param scratch used for the result when it is large enough; the result is then a view of it
 * @throws {WireFormatError}
 */
export function decodeSnappy(input: Uint8Array, maxBytes: number, scratch?: Uint8Array): Uint8Array {
  let pos = 0
  let length = 0
  for (let shift = 0; ; shift += 7) {
    if (pos >= input.length || shift > 28) throw new WireFormatError('snappy: bad length')
    const byte = input[pos++]!
    length += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (length > maxBytes) throw new WireFormatError(`snappy: ${length} bytes unpacked are more than ${maxBytes}`)
  if (length > input.length * EXPANSION_MAX) {
    throw new WireFormatError(`snappy: ${input.length} bytes cannot hold ${length} unpacked ones`)
  }
  const output =
    scratch !== undefined && scratch.length >= length ? scratch.subarray(0, length) : new Uint8Array(length)
  decodeElements(input, pos, output)
  return output
}

function decodeElements(input: Uint8Array, start: number, output: Uint8Array): void {
  const inputEnd = input.length
  const outputEnd = output.length
  const inputView = new DataView(input.buffer, input.byteOffset, inputEnd)
  const outputView = new DataView(output.buffer, output.byteOffset, outputEnd)
  let from = start
  let to = 0
  while (from < inputEnd) {
    const tag = input[from++]!
    const kind = tag & 3
    if (kind === 0) {
      let count = (tag >>> 2) + 1
      if (count > 60) {
        const width = count - 60
        if (from + width > inputEnd) throw endsEarly()
        count = littleEndian(input, from, width) + 1
        from += width
      }
      if (count > inputEnd - from || count > outputEnd - to) throw endsEarly()
      if (count > LOOP_BYTES_MAX) output.set(input.subarray(from, from + count), to)
      // Whole words, even where the last one goes beyond the element: what follows is written later.
      else if (count + 3 <= inputEnd - from && count + 3 <= outputEnd - to) {
        for (let i = 0; i < count; i += 4) outputView.setInt32(to + i, inputView.getInt32(from + i, true), true)
      } else for (let i = 0; i < count; i++) output[to + i] = input[from + i]!
      from += count
      to += count
      continue
    }
    let count: number
    let offset: number
    if (kind === 1) {
      if (from >= inputEnd) throw endsEarly()
      count = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | input[from++]!
    } else {
      const width = kind === 2 ? 2 : 4
      if (from + width > inputEnd) throw endsEarly()
      count = (tag >>> 2) + 1
      offset = width === 2 ? input[from]! | (input[from + 1]! << 8) : littleEndian(input, from, 4)
      from += width
    }
    if (offset === 0 || offset > to || count > outputEnd - to) throw new WireFormatError('snappy: bad copy')
    // Source and target may overlap: the copied bytes then repeat, as the format wants it.
    if (offset >= 4 && count + 3 <= outputEnd - to) {
      for (let i = 0; i < count; i += 4) outputView.setInt32(to + i, outputView.getInt32(to - offset + i, true), true)
      to += count
    } else for (const end = to + count; to < end; to++) output[to] = output[to - offset]!
  }
  if (to !== outputEnd) throw endsEarly()
}

function littleEndian(input: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = 0; i < width; i++) value += input[at + i]! * 2 ** (8 * i)
  return value
}

const endsEarly = (): WireFormatError => new WireFormatError('snappy: the block does not hold what it states')
