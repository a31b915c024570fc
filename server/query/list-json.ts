import { ByteBuffer } from '../../lib/byte-buffer.ts'

/** At first: it grows. */
const LIST_BYTES = 1 << 14

/**
 * An answer whose data is a list, as JSON. Item by item: all of them together may be longer than a string should be.
 *
 * @param limit most items; 0 = all
 */
export function listJson<T>(
  items: readonly T[],
  limit: number,
  moreWarnings: readonly string[],
  jsonOf: (item: T) => unknown = (item) => item,
): Uint8Array {
  const isCut = limit > 0 && items.length > limit
  const end = isCut ? limit : items.length
  const body = new ByteBuffer(LIST_BYTES)
  body.ascii('{"status":"success","data":[')
  for (let i = 0; i < end; i++) {
    if (i > 0) body.ascii(',')
    body.utf8(JSON.stringify(jsonOf(items[i]!)))
  }
  const warnings = [...(isCut ? ['results truncated due to limit'] : []), ...moreWarnings]
  body.ascii(']')
  if (warnings.length > 0) body.utf8(`,"warnings":${JSON.stringify(warnings)}`)
  body.ascii('}')
  return body.toBytes()
}
