import { AppError } from '../../lib/index.ts'
import {
  createMatcher,
  decodeSnappy,
  type Matcher,
  type MatchType,
  ProtoReader,
  WireFormatError,
} from '../../model/index.ts'

/** What a `POST /api/v1/read` asks for. */
export interface ReadRequest {
  readonly queries: readonly ReadQuery[]
  /** Chunks are taken, a frame at a time; else samples in one message. */
  readonly wantsChunks: boolean
}

export interface ReadQuery {
  /** Inclusive. */
  readonly minTimeMs: number
  /** Inclusive. */
  readonly maxTimeMs: number
  readonly matchers: readonly Matcher[]
}

export class ReadRequestError extends AppError {
  override readonly code = 'ERR_REMOTE_READ'
  override readonly httpStatus = 400
}

const MESSAGE_BYTES_MAX = 32 * 1024 * 1024
const MATCH_TYPES: readonly MatchType[] = ['=', '!=', '=~', '!~']
const STREAMED_XOR_CHUNKS = 1

/** @param body snappy over `prometheus.ReadRequest` @throws {ReadRequestError} */
export function decodeReadRequest(body: Uint8Array): ReadRequest {
  try {
    return readRequest(new ProtoReader(decodeSnappy(body, MESSAGE_BYTES_MAX)))
  } catch (cause) {
    if (!(cause instanceof WireFormatError)) throw cause
    throw new ReadRequestError(cause.message, { cause })
  }
}

function readRequest(reader: ProtoReader): ReadRequest {
  const queries: ReadQuery[] = []
  const accepted: number[] = []
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) queries.push(readQuery(reader))
    else if (tag === 16) accepted.push(reader.uint32())
    else if (tag === 18) {
      const outer = reader.open()
      while (reader.pos < reader.end) accepted.push(reader.uint32())
      reader.close(outer)
    } else reader.skip(tag)
  }
  // The first that is known counts; samples where none is.
  return { queries, wantsChunks: accepted.find((type) => type <= STREAMED_XOR_CHUNKS) === STREAMED_XOR_CHUNKS }
}

function readQuery(reader: ProtoReader): ReadQuery {
  const outer = reader.open()
  let minTimeMs = 0
  let maxTimeMs = 0
  const matchers: Matcher[] = []
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) minTimeMs = reader.int64()
    else if (tag === 16) maxTimeMs = reader.int64()
    else if (tag === 26) matchers.push(readMatcher(reader))
    else reader.skip(tag)
  }
  reader.close(outer)
  return { minTimeMs, maxTimeMs, matchers }
}

function readMatcher(reader: ProtoReader): Matcher {
  const outer = reader.open()
  let [type, name, value] = [0, '', '']
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) type = reader.uint32()
    else if (tag === 18) name = reader.string()
    else if (tag === 26) value = reader.string()
    else reader.skip(tag)
  }
  reader.close(outer)
  const kind = MATCH_TYPES[type]
  if (kind === undefined) throw new ReadRequestError(`matcher type ${type} is not known`)
  try {
    return createMatcher(kind, name, value)
  } catch (cause) {
    throw new ReadRequestError((cause as Error).message, { cause })
  }
}
