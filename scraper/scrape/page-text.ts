import { isLegacyLabelName, isLegacyMetricName, type Labels, METRIC_NAME } from '../../model/index.ts'

/** Builds a page in the text format out of samples: the inverse of parsing, with no comments. */
export class PageText {
  #lines: string[] = []
  readonly #parts: Buffer[] = []

  add(labels: Labels, emptyLabels: readonly string[], value: number, timestampMs: number | undefined): void {
    let name = ''
    let inside = ''
    for (let i = 0; i < labels.length; i += 2) {
      const label = labels[i]!
      const text = labels[i + 1]!
      if (label === METRIC_NAME) {
        if (isLegacyMetricName(text)) name = text
        else inside = `${quote(text)},${inside}`
      } else inside += `${isLegacyLabelName(label) ? label : quote(label)}=${quote(text)},`
    }
    for (const label of emptyLabels) inside += `${isLegacyLabelName(label) ? label : quote(label)}="",`
    const time = timestampMs === undefined ? '' : ` ${timestampMs}`
    this.#lines.push(`${name}${inside === '' ? '' : `{${inside}}`} ${valueText(value)}${time}\n`)
  }

  /** Turns what was added so far into bytes; a long page in one piece would take long. */
  settle(): void {
    this.#parts.push(Buffer.from(this.#lines.join('')))
    this.#lines = []
  }

  finish(): Uint8Array {
    this.settle()
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }
}

/** Shortest digits that read back as the same number. */
function valueText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }
const quote = (text: string): string =>
  `"${/[\\"\n]/.test(text) ? text.replace(/[\\"\n]/g, (c) => ESCAPES[c]!) : text}"`
