import { crc32 } from 'node:zlib'
import { RECORD_BYTES_MAX, RECORD_HEADER_BYTES, RECORD_MAGIC } from './format.ts'

// Looking for a bit in a larger record would hold up the start.
const SEARCH_BYTES_MAX = 4 << 20
const LENGTH_OFFSET = 8

/**
 * Looks for the one bit of the record at `at` that makes its checksum right, and turns it. A CRC-32 tells each single bit
 * of a record apart from every other, so what is found is what was written.
 *
 * @returns the length of the record, header included; 0 when more than a bit is wrong
 */
export function repairBit(bytes: Uint8Array, at: number, salt: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (at + RECORD_HEADER_BYTES > bytes.length) return 0
  const payloadBytes = view.getUint32(at + LENGTH_OFFSET, true)
  if (isPlausible(bytes, at, payloadBytes) && repairContent(bytes, view, at, payloadBytes, salt)) {
    return RECORD_HEADER_BYTES + payloadBytes
  }
  for (let bit = 0; bit < 32; bit++) {
    const other = (payloadBytes ^ (1 << bit)) >>> 0
    if (!isPlausible(bytes, at, other)) continue
    view.setUint32(at + LENGTH_OFFSET, other, true)
    const end = at + RECORD_HEADER_BYTES + other
    if (crc32(bytes.subarray(at + 4, end), salt) === view.getUint32(at, true)) return RECORD_HEADER_BYTES + other
    view.setUint32(at + LENGTH_OFFSET, payloadBytes, true)
  }
  return 0
}

/** Whether a record of this length would end where the file does or where another begins. */
function isPlausible(bytes: Uint8Array, at: number, payloadBytes: number): boolean {
  if (payloadBytes > RECORD_BYTES_MAX) return false
  const end = at + RECORD_HEADER_BYTES + payloadBytes
  return end === bytes.length || (end < bytes.length && bytes[end + 4] === RECORD_MAGIC)
}

function repairContent(bytes: Uint8Array, view: DataView, at: number, payloadBytes: number, salt: number): boolean {
  const end = at + RECORD_HEADER_BYTES + payloadBytes
  const stored = view.getUint32(at, true)
  const actual = crc32(bytes.subarray(at + 4, end), salt)
  const difference = (actual ^ stored) >>> 0
  if ((difference & (difference - 1)) === 0) {
    view.setUint32(at, actual, true)
    return true
  }
  if (payloadBytes > SEARCH_BYTES_MAX) return false
  const place = findBit(difference, end - at - 4)
  if (place === undefined) return false
  bytes[end - 1 - place.bytesFromEnd]! ^= 1 << place.bit
  return true
}

/** The bit of a message of `length` bytes that, turned, changes its CRC-32 by `difference`. */
function findBit(difference: number, length: number): { bytesFromEnd: number; bit: number } | undefined {
  const changes = Uint32Array.from({ length: 8 }, (_, bit) => CRC_TABLE[1 << bit]!)
  for (let bytesFromEnd = 0; bytesFromEnd < length; bytesFromEnd++) {
    for (let bit = 0; bit < 8; bit++) {
      const change = changes[bit]!
      if (change === difference) return { bytesFromEnd, bit }
      changes[bit] = CRC_TABLE[change & 0xff]! ^ (change >>> 8)
    }
  }
  return undefined
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let i = 0; i < 8; i++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1
  return value
})
