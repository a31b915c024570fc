/** What `formatSample` of the kernel writes: 'f' with shortest digits, 'e' below 1e-6 and from 1e21 on. */
export function sampleTextTwin(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (magnitude === Number.POSITIVE_INFINITY) return sign === '' ? '+Inf' : '-Inf'
  if (magnitude === 0) return `${sign}0`
  const [mantissa, exponentText] = magnitude.toExponential().split('e') as [string, string]
  const exponent = Number(exponentText)
  if (magnitude < 1e-6 || magnitude >= 1e21) {
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  const digits = mantissa.replace('.', '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** What `formatPoints` writes, as text. */
export function pointsTextTwin(timestampsMs: Float64Array, values: Float64Array, from: number, to: number): string {
  const points: string[] = []
  for (let i = from; i < to; i++) points.push(`[${secondsText(timestampsMs[i]!)},"${sampleTextTwin(values[i]!)}"]`)
  return points.join(',')
}

function secondsText(timestampMs: number): string {
  const total = Math.abs(timestampMs)
  const ms = total % 1000
  const text = `${timestampMs < 0 ? '-' : ''}${Math.floor(total / 1000)}`
  return ms === 0 ? text : `${text}.${String(ms).padStart(3, '0')}`
}
