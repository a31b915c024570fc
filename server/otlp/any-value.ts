/** A value of an attribute, before it is text. Integers beyond 2^53 come as bigint. */
export type AnyValue = undefined | string | boolean | bigint | number | Uint8Array | AnyValue[] | AnyMap
export interface AnyMap {
  readonly entries: readonly (readonly [string, AnyValue])[]
}

/** Values inside values. */
export const DEPTH_MAX = 32

/** As OpenTelemetry's collector writes values as text: lists and maps as JSON, bytes in base64, nothing as ''. */
export function textOf(value: AnyValue): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'object') return jsonText(value)
  return String(value)
}

function jsonText(value: AnyValue): string {
  if (value === undefined) return 'null'
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (typeof value === 'object' && !(value instanceof Uint8Array)) {
    const sorted = [...value.entries].sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${sorted.map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`).join(',')}}`
  }
  return typeof value === 'string' || value instanceof Uint8Array ? JSON.stringify(textOf(value)) : String(value)
}
