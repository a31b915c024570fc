import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { errorMessage } from './errors.ts'
import { BODY_BYTES_MAX, BodyTooLargeError, HttpRequestError } from './http-client.ts'
import { Inflater, type Unpacked } from './inflater.ts'

// Unpacking this much takes two milliseconds or three; more of it is the thread pool's business.
const PACKED_AT_ONCE_BYTES = 256 * 1024
const UNPACKED_AT_ONCE_BYTES = 2 << 20

const gunzip = promisify(zlib.gunzip)
const inflate = promisify(zlib.inflate)
const inflateRaw = promisify(zlib.inflateRaw)

const sharedInflater = new Inflater()

/**
 * Unpacks a body in place, if it is gzip and not big.
 *
 * @param encoding value of Content-Encoding, in lower case
 * @param bytesMax 0 = `BODY_BYTES_MAX`
 * @param inflater holds the result
 * @returns a view that holds until the next call; `undefined` where `unpackBody` must be asked
 * @throws {BodyTooLargeError} @throws {HttpRequestError} for damaged data
 */
export function gunzipAtOnce(
  packed: Uint8Array,
  encoding: string,
  bytesMax: number,
  inflater = sharedInflater,
): Uint8Array | undefined {
  if (encoding !== 'gzip' || packed.length > PACKED_AT_ONCE_BYTES) return undefined
  const isLimit = bytesMax > 0 && bytesMax <= UNPACKED_AT_ONCE_BYTES
  const end = packed.length
  // The last bytes tell the size, of honest data.
  if (!isLimit && end > 4 && packed[end - 1]! * 2 ** 24 + packed[end - 2]! * 2 ** 16 > UNPACKED_AT_ONCE_BYTES) {
    return undefined
  }
  let unpacked: Unpacked
  try {
    unpacked = inflater.gunzip(packed, isLimit ? bytesMax : UNPACKED_AT_ONCE_BYTES)
  } catch (error) {
    throw new HttpRequestError(`body does not unpack as gzip: ${errorMessage(error)}`, false, { cause: error })
  }
  if (unpacked !== 'too large') return unpacked
  if (isLimit) throw new BodyTooLargeError(bytesMax)
  return undefined
}

/**
 * Joins and unpacks a body (gzip, deflate; several encodings in a row), never holding more than the limit.
 *
 * @param encoding value of Content-Encoding
 * @param bytesMax 0 = `BODY_BYTES_MAX`
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
  const options = { maxOutputLength: bytesMax > 0 ? bytesMax : BODY_BYTES_MAX }
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        return gunzipAtOnce(packed, 'gzip', bytesMax)?.slice() ?? (await gunzip(packed, options))
      case 'deflate': {
        // By the standard a zlib stream; some servers send the bare one, whose first byte never looks like zlib's.
        if (((packed[0] ?? 0) & 15) === 8) return await inflate(packed, options)
        return await inflateRaw(packed, options)
      }
    }
  } catch (error) {
    if (error instanceof BodyTooLargeError || error instanceof HttpRequestError) throw error
    if (error instanceof RangeError) throw new BodyTooLargeError(bytesMax, { cause: error })
    throw new HttpRequestError(`body does not unpack as ${encoding}: ${errorMessage(error)}`, false, { cause: error })
  }
  throw new HttpRequestError(`unknown Content-Encoding ${JSON.stringify(encoding)}`, false)
}
