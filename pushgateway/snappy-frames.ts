import { decodeSnappy } from '../model/index.ts'
import { PushBodyError, tooLarge } from './errors.ts'

const COMPRESSED = 0x00
const PLAIN = 0x01
const STREAM_IDENTIFIER = 0xff
const STREAM_START = Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')
const FRAME_BYTES_MAX = 1 << 16
const HEADER_BYTES = 4
const CHECKSUM_BYTES = 4

/**
 * Unpacks snappy's framed form, which is what clients send as `Content-Encoding: snappy`; a single block without frames, as
 * remote write has it, is taken too.
 *
 * @throws {PushBodyError} 413 beyond `bytesMax` after unpacking, else 400
 */
export function unpackSnappy(body: Uint8Array, bytesMax: number): Buffer {
  const isFramed = STREAM_START.equals(body.subarray(0, STREAM_START.length))
  if (!isFramed) return Buffer.from(decodeBlock(body, bytesMax))
  const parts: Uint8Array[] = []
  let bytes = 0
  for (const part of frames(Buffer.from(body.buffer, body.byteOffset, body.byteLength))) {
    bytes += part.length
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function* frames(body: Buffer): Generator<Uint8Array> {
  let at = 0
  while (at < body.length) {
    if (at + HEADER_BYTES > body.length) throw new PushBodyError('unexpected EOF')
    const kind = body[at]!
    const start = at + HEADER_BYTES
    at = start + body.readUIntLE(at + 1, 3)
    if (at > body.length) throw new PushBodyError('unexpected EOF')
    if (kind === COMPRESSED || kind === PLAIN) {
      if (at - start < CHECKSUM_BYTES) throw corrupt()
      const content = body.subarray(start + CHECKSUM_BYTES, at)
      const data = kind === PLAIN ? content : decodeBlock(content, FRAME_BYTES_MAX)
      if (maskedCrc(data) !== body.readUInt32LE(start)) throw corrupt()
      yield data
    } else if (kind === STREAM_IDENTIFIER) {
      if (body.toString('latin1', start, at) !== 'sNaPpY') throw corrupt()
    } else if (kind < 0x80) throw new PushBodyError('snappy: unsupported input')
    // The others are for readers to skip.
  }
}

function decodeBlock(block: Uint8Array, bytesMax: number): Uint8Array {
  try {
    return decodeSnappy(block, bytesMax)
  } catch (error) {
    throw corrupt(error)
  }
}

const corrupt = (cause?: unknown): PushBodyError => new PushBodyError('snappy: corrupt input', 400, { cause })

const CRC32C_POLYNOMIAL = 0x82f63b78 // Castagnoli's, bits reversed.
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1
  return crc
})

/** The format stores the sum turned and shifted, so that sums of sums are of use too. */
function maskedCrc(data: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < data.length; i++) crc = CRC32C[(crc ^ data[i]!) & 0xff]! ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
