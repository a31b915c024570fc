import { compressSync, uncompressSync } from 'lz4-napi'
import { AppError } from './errors.ts'

/** Packed bytes that cannot be unpacked, or whose stated size is impossible. */
export class UnpackError extends AppError {
  override readonly code = 'ERR_UNPACK'
}

// LZ4 turns at most 255 bytes into one.
const RATIO_MAX = 255

/** An lz4 block with its unpacked size (u32, little-endian) in front. */
export function lz4Pack(bytes: Uint8Array): Uint8Array {
  return compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

/**
 * Undoes `lz4Pack`. The library believes the size in front, so that it is checked here before memory is reserved for it.
 *
 * @throws {UnpackError}
 */
export function lz4Unpack(packed: Uint8Array): Uint8Array {
  const source = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  const size = source.length < 4 ? Number.POSITIVE_INFINITY : source.readUInt32LE(0)
  if (size > (source.length + 16) * RATIO_MAX) {
    throw new UnpackError(`lz4: ${source.length} bytes cannot hold ${size} unpacked ones`)
  }
  let unpacked: Uint8Array
  try {
    unpacked = uncompressSync(source)
  } catch (cause) {
    throw new UnpackError('lz4: malformed block', { cause })
  }
  if (unpacked.length !== size) throw new UnpackError(`lz4: ${unpacked.length} bytes unpacked instead of ${size}`)
  return unpacked
}
