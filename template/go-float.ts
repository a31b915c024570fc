import { formatFloatGeneral } from '../model/index.ts'

/**
 * Go's strconv.FormatFloat for a finite or special number with the verbs e, f and g.
 *
 * @param precision digits after the point (e, f) or significant digits (g); -1 for the fewest that read back the same
 */
export function formatFloat(value: number, verb: 'e' | 'f' | 'g', precision: number): string {
  if (!Number.isFinite(value)) return formatFloatGeneral(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (verb === 'g' && precision < 0) return formatFloatGeneral(value)
  if (verb === 'g') return sign + general(magnitude, Math.max(precision, 1))
  if (verb === 'e')
    return sign + goExponent(precision < 0 ? magnitude.toExponential() : exponential(magnitude, precision))
  return sign + (precision < 0 ? shortestFixed(magnitude) : fixed(magnitude, precision))
}

function general(magnitude: number, precision: number): string {
  const [mantissa, exponentText] = exponential(magnitude, precision - 1).split('e') as [string, string]
  const digits = mantissa.replace('.', '').replace(/0+$/, '')
  const exponent = Number(exponentText)
  const pointAt = exponent + 1
  const limit = precision > digits.length && digits.length >= pointAt ? digits.length : precision
  if (magnitude !== 0 && (exponent < -4 || exponent >= limit)) {
    const fraction = digits.slice(1)
    return goExponent(`${digits[0]}${fraction === '' ? '' : `.${fraction}`}e${exponentText}`)
  }
  return fixed(magnitude, Math.max(digits.length - pointAt, 0))
}

/** Two digits of exponent at least, always signed. */
const goExponent = (text: string): string =>
  text.replace(/e([+-])(\d+)$/, (_, sign: string, digits: string) => `e${sign}${digits.padStart(2, '0')}`)

// JavaScript formats at most 100 digits; what lies behind them is zero for all but denormal numbers.
const DIGITS_MAX = 100

/** `toExponential`, but a tie goes to the even digit, as in Go. */
function exponential(magnitude: number, digits: number): string {
  const asked = Math.min(digits, DIGITS_MAX)
  const exact = magnitude.toExponential(DIGITS_MAX)
  const pointEnd = exact.indexOf('e')
  const cut = asked === 0 ? 1 : asked + 2
  if (isTieToEven(exact.slice(0, pointEnd), cut)) {
    return exact.slice(0, cut) + exact.slice(pointEnd)
  }
  return magnitude.toExponential(asked) // Its ties go up.
}

/** `toFixed`, but without its bound and with ties to the even digit, as in Go. */
function fixed(magnitude: number, digits: number): string {
  if (magnitude >= 1e21) return BigInt(magnitude).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '')
  const asked = Math.min(digits, DIGITS_MAX)
  const exact = magnitude.toFixed(DIGITS_MAX)
  const point = exact.indexOf('.')
  const cut = asked === 0 ? point : point + 1 + asked
  const text = isTieToEven(exact, cut) ? exact.slice(0, cut) : magnitude.toFixed(asked)
  return text + '0'.repeat(digits - asked)
}

/** Whether what is cut off at `cut` is exactly a half and the digit before it is even. */
function isTieToEven(exact: string, cut: number): boolean {
  if (!/^\.?50*$/.test(exact.slice(cut))) return false
  const last = exact[cut - 1] === '.' ? exact[cut - 2] : exact[cut - 1]
  return Number(last) % 2 === 0
}

function shortestFixed(magnitude: number): string {
  const [mantissa, exponentText] = magnitude.toExponential().split('e') as [string, string]
  const digitCount = mantissa.replace('.', '').length
  return fixed(magnitude, Math.max(0, digitCount - 1 - Number(exponentText)))
}
