/**
 * Numbers as Go prints and reads them; digits are the same shortest round trip as JavaScript's, the forms differ.
 */

/** Go's 'f' with shortest digits: never an exponent. Used for scalar results, `le`, `quantile`, `count_values`. */
export function formatFloatPlain(value: number): string {
  const special = formatSpecial(value)
  if (special !== undefined) return special
  const text = String(value)
  return text.includes('e') ? expandExponent(text) : text
}

/** What the query API prints for samples: plain, but with an exponent below 1e-6 and from 1e21 on. */
export function formatSampleValue(value: number): string {
  const special = formatSpecial(value)
  if (special !== undefined) return special
  const magnitude = Math.abs(value)
  return magnitude !== 0 && (magnitude < 1e-6 || magnitude >= 1e21)
    ? formatFloatExponent(value)
    : formatFloatPlain(value)
}

/** Go's 'e' with shortest digits: `1e+00`, `1.5e-07`. */
export function formatFloatExponent(value: number): string {
  const special = formatSpecial(value)
  if (special !== undefined && value !== 0) return special
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  const sign = exponent.startsWith('-') ? '-' : '+'
  return `${Object.is(value, -0) ? '-0' : digits}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`
}

/** Go's 'g' with shortest digits, which is also `%v`: an exponent below 1e-4 and from 1e6 on (`1.234567e+06`). */
export function formatFloatGeneral(value: number): string {
  const special = formatSpecial(value)
  if (special !== undefined) return special
  const magnitude = Math.abs(value)
  return magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)
    ? formatFloatExponent(value)
    : formatFloatPlain(value)
}

/** `le` and `quantile` label values at scrape: `1` → `1.0`, `1e3` → `1000.0`, `+Inf`; text that is no number stays as it is. */
export function normalizeBucketBound(text: string): string {
  const value = parseGoFloat(text)
  if (value === undefined) return text
  const out = formatFloatGeneral(value)
  return Number.isFinite(value) && !/[.e]/.test(out) ? `${out}.0` : out
}

// Each digit fits in one place only: with two to choose from, a long text that is no number would take ages.
const DECIMAL = /^[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const SPECIALS: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['+infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
  ['+nan', Number.NaN],
  ['-nan', Number.NaN],
])

/** Go's ParseFloat for decimal text, or `undefined` where it would fail. Hexadecimal floats are refused, as in expositions. */
export function parseGoFloat(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text.replaceAll('_', ''))
  return SPECIALS.get(text.toLowerCase())
}

function formatSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  if (Object.is(value, -0)) return '-0'
  return undefined
}

function expandExponent(text: string): string {
  const [mantissa, exponentText] = text.split('e') as [string, string]
  const exponent = Number(exponentText)
  const negative = mantissa.startsWith('-')
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.') as [string, string?]
  const digits = whole + fraction
  const point = whole.length + exponent
  const plain =
    point <= 0
      ? `0.${'0'.repeat(-point)}${digits}`
      : point >= digits.length
        ? digits + '0'.repeat(point - digits.length)
        : `${digits.slice(0, point)}.${digits.slice(point)}`
  return negative ? `-${plain}` : plain
}
