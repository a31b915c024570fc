const INF = /^[+-]?inf$/i
const PREFIXED = /^0[xX]/

/**
 * The value of a number token as Go reads it: first as an integer of any base (so `010` is 8), then as a float (so `08` is 8).
 *
 * @returns the value, or why Go refuses it
 */
export function parseNumber(text: string): number | string {
  if (INF.test(text)) return Number.POSITIVE_INFINITY
  if (text.toLowerCase() === 'nan') return Number.NaN
  const digits = text.replaceAll('_', '')
  const wellSeparated = digits.length === text.length || underscoresFit(text)
  if (wellSeparated && PREFIXED.test(text)) {
    // Above int64 Go falls back to floats, where a hexadecimal needs an exponent.
    const value = /^0[xX][0-9a-fA-F]+$/.test(digits) ? BigInt(digits) : undefined
    return value !== undefined && value < 1n << 63n ? Number(value) : refused(text, 'invalid syntax')
  }
  if (wellSeparated && /^0[0-7]+$/.test(digits)) {
    const value = BigInt(`0o${digits.slice(1)}`)
    if (value < 1n << 63n) return Number(value)
  }
  if (!wellSeparated || !/^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(digits))
    return refused(text, 'invalid syntax')
  const value = Number(digits)
  return Number.isFinite(value) ? value : refused(text, 'value out of range')
}

/** `_` may stand only between digits, or between the base prefix and a digit. */
const underscoresFit = (text: string): boolean =>
  PREFIXED.test(text) ? /^0[xX](?:_?[0-9a-fA-F])+$/.test(text) : !/(?:^|\D)_|_(?:\D|$)/.test(text)

const refused = (text: string, why: string): string => `strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${why}`
