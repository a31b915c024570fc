import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { errorMessage } from './errors.ts'
import { BodyTooLargeError, HttpRequestError } from './http-client.ts'

// Below this many packed bytes the thread pool's round trip costs more than unpacking in place.
const UNPACK_IN_PLACE_BYTES = 64 * 1024

const gunzip = promisify(zlib.gunzip)
const inflate = promisify(zlib.inflate)
const inflateRaw = promisify(zlib.inflateRaw)

/**
 * Joins and unpacks a body (gzip, deflate; several encodings in a row), never holding more than the limit.
 *
 * @param encoding value of Content-Encoding
 * @param bytesMax 0 = no limit
 * @throws {BodyTooLargeError} @throws {HttpRequestError} for damaged data or an unknown encoding
 */
export async function unpackBody(
  chunks: readonly Uint8Array[],
  encoding: string,
  bytesMax: number,
): Promise<Uint8Array> {
  let body: Uint8Array = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  if (encoding === '') return body
  const layers = encoding.split(',').map((layer) => layer.trim().toLowerCase())
  for (const layer of layers.reverse()) {
    if (layer !== '' && layer !== 'identity') body = await unpackLayer(body, layer, bytesMax)
  }
  return body
}

async function unpackLayer(packed: Uint8Array, encoding: string, bytesMax: number): Promise<Uint8Array> {
  const options = bytesMax > 0 ? { maxOutputLength: bytesMax } : {}
  const inPlace = packed.length <= UNPACK_IN_PLACE_BYTES
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        return inPlace ? zlib.gunzipSync(packed, options) : await gunzip(packed, options)
      case 'deflate': {
        // By the standard a zlib stream; some servers send the bare one, whose first byte never looks like zlib's.
        if (((packed[0] ?? 0) & 15) === 8) return await inflate(packed, options)
        return await inflateRaw(packed, options)
      }
    }
  } catch (error) {
    if (error instanceof RangeError) throw new BodyTooLargeError('body size limit exceeded', { cause: error })
    throw new HttpRequestError(`body does not unpack as ${encoding}: ${errorMessage(error)}`, false, { cause: error })
  }
  throw new HttpRequestError(`unknown Content-Encoding ${JSON.stringify(encoding)}`, false)
}
