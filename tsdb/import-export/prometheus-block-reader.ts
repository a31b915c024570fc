import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { STALE_NAN_HIGH, STALE_NAN_LOW, type NativeHistogram, type TimeRange } from '../../model/index.ts'
import { MalformedBytesError } from '../bytes.ts'
import { CorruptionError, NewerFormatError } from '../errors.ts'
import { BigEndianReader } from './big-endian.ts'
import { crc32c } from './crc32c.ts'
import { decodeHistogramChunk } from './histogram-chunk.ts'
import {
  CHUNKS_MAGIC,
  CHUNKS_VERSION,
  type ChunkPlace,
  Encoding,
  prometheusFiles,
  TOMBSTONES_MAGIC,
  TOMBSTONES_VERSION,
} from './prometheus-format.ts'
import { PrometheusIndex, type PrometheusSeries } from './prometheus-index-reader.ts'
import { decodeXorChunk } from './xor-chunk.ts'

/** Gets the samples of a series, by time. A float comes as the words of its bits. */
export interface SampleSink {
  float(timestampMs: number, low: number, high: number): void
  histogram(timestampMs: number, histogram: NativeHistogram): void
}

/** A block of Prometheus, opened for reading. Deleted samples do not come out. */
export class PrometheusBlock {
  readonly ulid: string
  readonly minTimeMs: number
  /** Exclusive. */
  readonly maxTimeMs: number
  readonly index: PrometheusIndex
  readonly #segments: readonly { readonly file: string; readonly fd: number }[]
  readonly #deleted: ReadonlyMap<number, readonly TimeRange[]>

  /** @throws {CorruptionError} @throws {NewerFormatError} */
  constructor(folder: string) {
    const files = prometheusFiles(folder)
    const meta = readPrometheusMeta(files.meta)
    this.ulid = basename(folder)
    this.minTimeMs = meta.minTime
    this.maxTimeMs = meta.maxTime
    this.index = new PrometheusIndex(files.index)
    this.#deleted = existsSync(files.tombstones) ? readTombstones(files.tombstones) : new Map()
    this.#segments = openSegments(files.chunks)
  }

  /** Hands the samples of a series in a range to `sink`. @throws {CorruptionError} */
  samples({ chunks }: PrometheusSeries, reference: number, range: TimeRange, sink: SampleSink): void {
    const deleted = this.#deleted.get(reference) ?? []
    const isWanted = (timeMs: number): boolean =>
      timeMs >= range.minTimeMs &&
      timeMs <= range.maxTimeMs &&
      !deleted.some(({ minTimeMs, maxTimeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs)
    for (const chunk of chunks) {
      if (chunk.maxTimeMs < range.minTimeMs || chunk.minTimeMs > range.maxTimeMs) continue
      this.#decode(chunk, {
        float: (timeMs, low, high) => {
          if (isWanted(timeMs)) sink.float(timeMs, low, high)
        },
        histogram: (timeMs, histogram) => {
          if (isWanted(timeMs)) sink.histogram(timeMs, histogram)
        },
      })
    }
  }

  close(): void {
    for (const { fd } of this.#segments) closeSync(fd)
  }

  #decode(chunk: ChunkPlace, sink: SampleSink): void {
    const segment = this.#segments[chunk.segment]
    if (segment === undefined) throw new CorruptionError(this.ulid, 0, `there is no chunk file ${chunk.segment + 1}`)
    try {
      const { encoding, bytes } = readChunk(segment.fd, chunk.offset)
      if (encoding === Encoding.XOR) decodeXorChunk(bytes, sink.float)
      else if (encoding === Encoding.HISTOGRAM || encoding === Encoding.FLOAT_HISTOGRAM) {
        for (const { timestampMs, histogram } of decodeHistogramChunk(bytes, encoding === Encoding.HISTOGRAM)) {
          if (histogram === undefined) sink.float(timestampMs, STALE_NAN_LOW, STALE_NAN_HIGH)
          else sink.histogram(timestampMs, histogram)
        }
      } else throw new NewerFormatError(`${segment.file}: chunks of encoding ${encoding} are not known`)
    } catch (cause) {
      if (!(cause instanceof MalformedBytesError)) throw cause
      throw new CorruptionError(segment.file, chunk.offset, cause.message, { cause })
    }
  }
}

const HEAD_BYTES = 10
const CHUNK_BYTES_MAX = 16 << 20

/** @throws {MalformedBytesError} */
function readChunk(fd: number, offset: number): { encoding: number; bytes: Buffer } {
  const head = Buffer.alloc(HEAD_BYTES)
  const got = readSync(fd, head, 0, HEAD_BYTES, offset)
  const reader = new BigEndianReader(head, 0, got)
  const length = reader.uvarint()
  if (length > CHUNK_BYTES_MAX) throw new MalformedBytesError('a chunk is too long')
  const bytes = Buffer.allocUnsafe(1 + length + 4)
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(fd, bytes, done, bytes.length - done, offset + reader.at + done)
    if (read === 0) throw new MalformedBytesError('a chunk file ends early')
    done += read
  }
  if (crc32c(bytes.subarray(0, 1 + length)) !== bytes.readUInt32BE(1 + length)) {
    throw new MalformedBytesError('the checksum of a chunk does not match')
  }
  return { encoding: bytes[0]!, bytes: bytes.subarray(1, 1 + length) }
}

export interface PrometheusMeta {
  readonly minTime: number
  /** Exclusive. */
  readonly maxTime: number
  /** Blocks that this one replaces. */
  readonly compaction?: { readonly parents?: readonly { readonly ulid: string }[] }
  readonly version: number
}

/** @throws {CorruptionError} @throws {NewerFormatError} */
export function readPrometheusMeta(file: string): PrometheusMeta {
  let meta: PrometheusMeta
  try {
    meta = JSON.parse(readFileSync(file, 'utf8')) as PrometheusMeta
    if (!Number.isSafeInteger(meta.minTime) || !Number.isSafeInteger(meta.maxTime) || meta.minTime > meta.maxTime) {
      throw new Error('its times are missing')
    }
  } catch (cause) {
    throw new CorruptionError(file, 0, (cause as Error).message, { cause })
  }
  if (meta.version !== 1) throw new NewerFormatError(`${file} is of version ${meta.version}`)
  return meta
}

function readTombstones(file: string): Map<number, TimeRange[]> {
  const bytes = readFileSync(file)
  if (bytes.length < 9 || bytes.readUInt32BE(0) !== TOMBSTONES_MAGIC) {
    throw new CorruptionError(file, 0, 'not a list of deletions of Prometheus')
  }
  if (bytes[4] !== TOMBSTONES_VERSION) throw new NewerFormatError(`${file} is of version ${bytes[4]}`)
  const end = bytes.length - 4
  if (crc32c(bytes.subarray(5, end)) !== bytes.readUInt32BE(end)) {
    throw new CorruptionError(file, 5, 'the checksum does not match')
  }
  const ranges = new Map<number, TimeRange[]>()
  const reader = new BigEndianReader(bytes, 5, end)
  try {
    while (reader.left > 0) {
      const reference = reader.uvarint()
      const own = ranges.get(reference) ?? []
      ranges.set(reference, own)
      own.push({ minTimeMs: reader.varint(), maxTimeMs: reader.varint() })
    }
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause
    throw new CorruptionError(file, reader.at, cause.message, { cause })
  }
  return ranges
}

function openSegments(folder: string): { file: string; fd: number }[] {
  const segments: { file: string; fd: number }[] = []
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d{6}$/.test(name)) : []
  try {
    for (const name of names.sort()) {
      const file = join(folder, name)
      const fd = openSync(file, 'r')
      segments.push({ file, fd })
      const header = Buffer.alloc(5)
      readSync(fd, header, 0, 5, 0)
      if (header.readUInt32BE(0) !== CHUNKS_MAGIC) throw new CorruptionError(file, 0, 'not a chunk file of Prometheus')
      if (header[4] !== CHUNKS_VERSION) throw new NewerFormatError(`${file} is of version ${header[4]}`)
    }
  } catch (error) {
    for (const { fd } of segments) closeSync(fd)
    throw error
  }
  return segments
}
