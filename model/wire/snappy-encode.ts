/** Copies reach back at most this far, so that every offset fits two bytes. */
const BLOCK_BYTES = 65_536
const TABLE_BITS = 14
/** A match is looked for only where a whole word and a literal's header still fit behind. */
const MARGIN_BYTES = 15

/** Packs bytes as one block of snappy (not its framed form). */
export function encodeSnappy(input: Uint8Array): Uint8Array {
  // A literal header for each block, an expansion of one byte in sixty, and the length in front.
  const output = new Uint8Array(32 + input.length + Math.ceil(input.length / 6))
  let to = 0
  let length = input.length
  for (; length >= 0x80; length = Math.floor(length / 128)) output[to++] = (length % 128) | 0x80
  output[to++] = length
  const table = new Uint16Array(1 << TABLE_BITS)
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    to = encodeBlock(input, start, Math.min(start + BLOCK_BYTES, input.length), output, to, table)
  }
  return output.slice(0, to)
}

function encodeBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
  table: Uint16Array,
): number {
  let to = outputStart
  let literal = start
  let at = start + 1
  table.fill(0)
  // Where nothing matches for long, ever more bytes are passed over.
  let misses = 32
  while (at < end - MARGIN_BYTES) {
    const word = wordAt(input, at)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS)
    const candidate = start + table[slot]!
    table[slot] = at - start
    if (candidate >= at || wordAt(input, candidate) !== word) {
      at += misses++ >>> 5
      continue
    }
    misses = 32
    to = writeLiteral(input, literal, at, output, to)
    let matched = 4
    while (at + matched < end && input[candidate + matched] === input[at + matched]) matched++
    to = writeCopy(output, to, at - candidate, matched)
    at += matched
    literal = at
  }
  return writeLiteral(input, literal, end, output, to)
}

const wordAt = (input: Uint8Array, at: number): number =>
  input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24)

function writeLiteral(input: Uint8Array, from: number, until: number, output: Uint8Array, at: number): number {
  const count = until - from
  if (count === 0) return at
  let to = at
  const last = count - 1
  if (last < 60) output[to++] = last << 2
  else if (last < 256) {
    output[to++] = 60 << 2
    output[to++] = last
  } else {
    output[to++] = 61 << 2
    output[to++] = last & 0xff
    output[to++] = last >>> 8
  }
  if (count < 24) for (let i = 0; i < count; i++) output[to + i] = input[from + i]!
  else output.set(input.subarray(from, until), to)
  return to + count
}

function writeCopy(output: Uint8Array, at: number, offset: number, length: number): number {
  let to = at
  let rest = length
  while (rest >= 68) {
    to = writeLongCopy(output, to, offset, 64)
    rest -= 64
  }
  if (rest > 64) {
    to = writeLongCopy(output, to, offset, 60)
    rest -= 60
  }
  if (rest >= 12 || offset >= 2048) return writeLongCopy(output, to, offset, rest)
  output[to++] = ((offset >>> 8) << 5) | ((rest - 4) << 2) | 1
  output[to++] = offset & 0xff
  return to
}

function writeLongCopy(output: Uint8Array, at: number, offset: number, length: number): number {
  output[at] = ((length - 1) << 2) | 2
  output[at + 1] = offset & 0xff
  output[at + 2] = offset >>> 8
  return at + 3
}
