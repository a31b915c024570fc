import { fitsText, type PushedFamily, type PushedType } from './family.ts'
import { writeHeader, writeMetrics } from './page-text.ts'
import { parsePushedText } from './text-parser.ts'

/**
 * A family of one group as it is kept: its sample lines as the page shows them, which is a fraction of the same as objects,
 * and ready to be sent. Immutable.
 */
export interface StoredFamily {
  readonly name: string
  readonly type: PushedType
  readonly help: string
  readonly lines: string
  readonly metricCount: number
  readonly pushedAtMs: number
  /** Whether a name in it is more than letters, digits and underscores. */
  readonly hasUtf8Names: boolean
  /** Set where lines of text cannot say all of it. */
  readonly whole: PushedFamily | undefined
}

export function storeFamily(family: PushedFamily, pushedAtMs: number): StoredFamily {
  const { name, type, help, metrics } = family
  const lines = writeMetrics(family)
  return {
    name,
    type,
    help,
    lines,
    metricCount: metrics.length,
    pushedAtMs,
    hasUtf8Names: /^\{|[{,]"/m.test(lines) && hasQuotedName(family),
    whole: type !== 'gaugehistogram' && metrics.every(fitsText) ? undefined : family,
  }
}

export function readFamily(stored: StoredFamily): PushedFamily {
  if (stored.whole !== undefined) return stored.whole
  const { name, type, help } = stored
  const [family] = parsePushedText(writeHeader({ name, type, help: '' }) + stored.lines, { utf8Names: true }).families
  return { name, type, help, metrics: family?.metrics ?? [] }
}

const LEGACY_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

function hasQuotedName({ name, metrics }: PushedFamily): boolean {
  if (!LEGACY_NAME.test(name)) return true
  return metrics.some(({ labels }) => labels.some((text, i) => i % 2 === 0 && !LEGACY_NAME.test(text)))
}
