import { compareStrings } from '../../../model/index.ts'

export type PageType = 'counter' | 'gauge' | 'untyped'

/**
 * One exposition page in text format 0.0.4, written in the order of the calls: the same calls give the same lines, which
 * is what lets the scraper compare a page with the one before it line by line.
 */
export class Page {
  #text = ''
  #name = ''

  /** Starts a family; `sample` adds to it. A family is written once, with all its samples together. */
  family(name: string, type: PageType, help: string): void {
    this.#name = name
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  }

  /** @param labels `{…}` as `labelText` makes it, or '' */
  sample(labels: string, value: number): void {
    this.#text += `${this.#name}${labels} ${formatValue(value)}\n`
  }

  /** A family with one sample without labels. */
  single(name: string, type: PageType, help: string, value: number): void {
    this.family(name, type, help)
    this.sample('', value)
  }

  /** Adds text that is exposition format already and ends with a line feed. */
  raw(text: string): void {
    this.#text += text
  }

  toString(): string {
    return this.#text
  }
}

/** `{a="x",b="y"}`, names sorted; values are escaped. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.keys(labels)
    .sort(compareStrings)
    .map((name) => `${name}="${escapeLabelValue(labels[name]!)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escapeLabelValue(value: string): string {
  // Most values need nothing; the test is cheaper than the replacement.
  if (!/[\\"\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function formatValue(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
