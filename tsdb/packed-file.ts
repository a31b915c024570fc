import { crc32 } from 'node:zlib'
import { lz4Pack, lz4Unpack } from '../lib/lz4.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { CorruptionError, NewerFormatError } from './errors.ts'

/** What tells one kind of packed file from another. */
export interface PackedKind {
  readonly magic: number
  /** That is written. */
  readonly version: number
  /** Oldest that can still be read; absent = only the one that is written. */
  readonly versionMin?: number
  /** For the error: "not …". */
  readonly name: string
}

const HEADER_BYTES = 16

/** Magic, version, packed length, CRC-32 of the packed bytes, then those: lz4. */
export function packFile({ magic, version }: PackedKind, plain: Uint8Array): Uint8Array {
  const packed = lz4Pack(plain)
  const out = new ByteWriter(HEADER_BYTES + packed.length)
  for (const word of [magic, version, packed.length, crc32(packed)]) out.u32(word)
  out.append(packed)
  return out.bytes()
}

/**
 * Checks the frame and hands what it holds to `read`.
 *
 * @throws {NewerFormatError}
 * @throws {CorruptionError} for a wrong frame and for whatever `read` throws
 */
export function unpackFile<T>(kind: PackedKind, bytes: Uint8Array, file: string, read: (body: ByteReader) => T): T {
  try {
    const outer = new ByteReader(bytes)
    if (outer.u32() !== kind.magic) throw new Error(`not ${kind.name}`)
    const version = outer.u32()
    if (version > kind.version) throw new NewerFormatError(`${file} was written by a newer version of Belltower`)
    if (version < (kind.versionMin ?? kind.version)) throw new Error(`not ${kind.name} of a version that can be read`)
    const length = outer.u32()
    const checksum = outer.u32()
    const packed = outer.take(length)
    if (crc32(packed) !== checksum) throw new Error('the checksum does not match')
    return read(new ByteReader(lz4Unpack(packed)))
  } catch (cause) {
    if (cause instanceof NewerFormatError) throw cause
    throw new CorruptionError(file, 0, (cause as Error).message, { cause })
  }
}
