import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { decodeSnappy, WireFormatError } from '../../model/index.ts'
import { MalformedBytesError } from '../bytes.ts'
import { CorruptionError } from '../errors.ts'
import { crc32c } from './crc32c.ts'

// Format: docs/formats/prometheus-block.md.
const PAGE_BYTES = 32_768
const FRAGMENT_HEADER_BYTES = 7
const RECORD_BYTES_MAX = 256 << 20
const SNAPPY_FLAG = 8
const ZSTD_FLAG = 16
const Fragment = { REST_OF_PAGE: 0, FULL: 1, FIRST: 2, MIDDLE: 3, LAST: 4 } as const

/** Segments of a Prometheus' log, oldest first: those of its newest checkpoint, then the ones that came after. */
export function listWalSegments(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
  const checkpoint = names
    .filter((name) => /^checkpoint\.\d+$/.test(name))
    .sort((a, b) => checkpointNumber(a) - checkpointNumber(b))
    .at(-1)
  const covered = checkpoint === undefined ? -1 : checkpointNumber(checkpoint)
  const numbered = (list: readonly string[]): string[] => list.filter((name) => /^\d{8}$/.test(name)).sort()
  const before = checkpoint === undefined ? [] : numbered(readdirSync(join(folder, checkpoint)))
  const after = numbered(names).filter((name) => Number(name) > covered)
  return [...before.map((name) => join(folder, checkpoint!, name)), ...after.map((name) => join(folder, name))]
}

const checkpointNumber = (name: string): number => Number(name.slice(name.indexOf('.') + 1))

/**
 * Hands out the records of a segment. Its end may be torn.
 *
 * @throws {CorruptionError} where it is damaged; the records before have been handed out
 */
export function* readWalRecords(file: string): Generator<Buffer> {
  const page = Buffer.alloc(PAGE_BYTES)
  const parts: Buffer[] = []
  let partBytes = 0
  const fd = openSync(file, 'r')
  try {
    for (let offset = 0; ; offset += PAGE_BYTES) {
      const size = readPage(fd, page, offset)
      for (let at = 0; at + FRAGMENT_HEADER_BYTES <= size; ) {
        const flags = page[at]!
        const type = flags & 7
        if (type === Fragment.REST_OF_PAGE) break
        const start = at + FRAGMENT_HEADER_BYTES
        const end = start + page.readUInt16BE(at + 1)
        if (end > size) {
          // A page is written piece by piece: the last one may end anywhere.
          if (size < PAGE_BYTES) return
          throw new CorruptionError(file, offset + at, 'a record reaches beyond its page')
        }
        const bytes = page.subarray(start, end)
        if (crc32c(bytes) !== page.readUInt32BE(at + 3)) {
          throw new CorruptionError(file, offset + at, 'the checksum of a record does not match')
        }
        if ((flags & ZSTD_FLAG) !== 0)
          throw new CorruptionError(file, offset + at, 'records packed with zstd are not read')
        const isStart = type === Fragment.FULL || type === Fragment.FIRST
        if (isStart !== (parts.length === 0))
          throw new CorruptionError(file, offset + at, 'a part of a record is missing')
        partBytes += bytes.length
        if (partBytes > RECORD_BYTES_MAX) throw new CorruptionError(file, offset + at, 'a record is too long')
        // The page is used again.
        parts.push(Buffer.from(bytes))
        if (type === Fragment.FULL || type === Fragment.LAST) {
          yield unpack(Buffer.concat(parts), (flags & SNAPPY_FLAG) !== 0, file, offset + at)
          parts.length = 0
          partBytes = 0
        }
        at = end
      }
      if (size < PAGE_BYTES) return
    }
  } finally {
    closeSync(fd)
  }
}

function readPage(fd: number, page: Buffer, offset: number): number {
  let size = 0
  while (size < PAGE_BYTES) {
    const read = readSync(fd, page, size, PAGE_BYTES - size, offset + size)
    if (read === 0) break
    size += read
  }
  return size
}

function unpack(record: Buffer, isPacked: boolean, file: string, offset: number): Buffer {
  if (!isPacked) return record
  try {
    const bytes = decodeSnappy(record, RECORD_BYTES_MAX)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (cause) {
    if (!(cause instanceof WireFormatError) && !(cause instanceof MalformedBytesError)) throw cause
    throw new CorruptionError(file, offset, cause.message, { cause })
  }
}
