import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { PushBodyError } from './errors.ts'

const gunzipAsync = promisify(gunzip)
const GZIP_HEADER_BYTES = 10

/**
 * The text of a push. Any content type is text except a protocol buffer; any encoding but gzip is read as it is.
 *
 * @throws {PushBodyError} 413 beyond `bytesMax` after unpacking, 415 for formats that are not understood, else 400
 */
export async function readPushBody(
  body: Buffer,
  headers: { readonly contentType: string; readonly contentEncoding: string; readonly bytesMax: number },
): Promise<string> {
  if (/^\s*application\/vnd\.google\.protobuf/i.test(headers.contentType))
    throw new PushBodyError('protocol buffers are not supported: push the text format', 415)
  const encoding = headers.contentEncoding.toLowerCase()
  if (encoding === 'snappy')
    throw new PushBodyError('content encoding snappy is not supported: use gzip, or send the text as it is', 415)
  const text = encoding === 'gzip' ? await unpack(body, headers.bytesMax) : body
  if (!isUtf8(text)) throw new PushBodyError('text format parsing error: the body is not UTF-8', 400)
  return text.toString('utf8')
}

export function tooLarge(bytesMax: number): PushBodyError {
  return new PushBodyError(`the pushed metrics are larger than the limit of ${bytesMax} bytes`, 413)
}

async function unpack(body: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await gunzipAsync(body, { maxOutputLength: bytesMax })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new PushBodyError(gzipFault(body), 400)
  }
}

/** What Go says of such a body, which clients may show. */
function gzipFault(body: Buffer): string {
  if (body.length < GZIP_HEADER_BYTES) return 'unexpected EOF'
  return body[0] === 0x1f && body[1] === 0x8b ? 'unexpected EOF' : 'gzip: invalid header'
}
