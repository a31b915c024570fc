import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { decodeMetricFamilies, ExpositionError, WireFormatError } from '../model/index.ts'
import { fromClientFamily } from './client-families.ts'
import { PushBodyError, PushSyntaxError, tooLarge } from './errors.ts'
import type { PushedFamily } from './family.ts'
import { parseOpenMetrics } from './openmetrics-body.ts'
import { unpackSnappy } from './snappy-frames.ts'
import { parsePushedText, type ParsedPush } from './text-parser.ts'

const gunzipAsync = promisify(gunzip)
const GZIP_HEADER_BYTES = 10

export type BodyFormat = 'text' | 'openmetrics' | 'protobuf'

/** A push as it came, unpacked. */
export interface PushBody {
  readonly format: BodyFormat
  readonly bytes: Buffer
}

/** Any content type is text, except delimited protobuf and OpenMetrics, which must be named. */
export function bodyFormatOf(contentType: string): BodyFormat {
  const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase())
  if (mediaType === 'application/openmetrics-text') return 'openmetrics'
  const isDelimited =
    mediaType === 'application/vnd.google.protobuf' &&
    parameters.includes('proto=io.prometheus.client.metricfamily') &&
    parameters.includes('encoding=delimited')
  return isDelimited ? 'protobuf' : 'text'
}

/**
 * Undoes gzip and snappy; a body of any other encoding is read as it is.
 *
 * @throws {PushBodyError} 413 beyond `bytesMax` after unpacking, else 400
 */
export async function unpackBody(body: Buffer, contentEncoding: string, bytesMax: number): Promise<Buffer> {
  const encoding = contentEncoding.trim().toLowerCase()
  if (encoding === 'gzip') return unpackGzip(body, bytesMax)
  return encoding === 'snappy' ? unpackSnappy(body, bytesMax) : body
}

/** @throws {PushSyntaxError} @throws {PushBodyError} */
export function parseBody({ format, bytes }: PushBody, options: { readonly utf8Names: boolean }): ParsedPush {
  if (format === 'protobuf') return parseProtobuf(bytes)
  if (!isUtf8(bytes)) throw new PushBodyError('text format parsing error: the body is not UTF-8')
  if (format === 'text') return parsePushedText(bytes.toString('utf8'), options)
  try {
    return parseOpenMetrics(bytes)
  } catch (error) {
    if (error instanceof ExpositionError) throw new PushSyntaxError(error.line, error.reason)
    throw error
  }
}

function parseProtobuf(bytes: Buffer): ParsedPush {
  // Of a name that comes twice the last one counts, as in the original.
  const families = new Map<string, PushedFamily>()
  let hasTimestamps = false
  try {
    for (const family of decodeMetricFamilies(bytes)) {
      if (family.metrics.length > 0) families.set(family.name, fromClientFamily(family))
      hasTimestamps ||= family.metrics.some(({ timestampMs }) => timestampMs !== undefined)
    }
  } catch (error) {
    if (error instanceof WireFormatError) {
      const why = /early/.test(error.message) ? 'unexpected EOF' : error.message // As Go says it.
      throw new PushBodyError(why, 400, { cause: error })
    }
    throw error
  }
  return { families: [...families.values()], hasTimestamps }
}

async function unpackGzip(body: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await gunzipAsync(body, { maxOutputLength: bytesMax })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new PushBodyError(gzipFault(body))
  }
}

/** What Go says of such a body, which clients may show. */
function gzipFault(body: Buffer): string {
  if (body.length === 0) return 'EOF'
  if (body.length < GZIP_HEADER_BYTES) return 'unexpected EOF'
  return body[0] === 0x1f && body[1] === 0x8b ? 'unexpected EOF' : 'gzip: invalid header'
}
