import { isLegacyLabelName, isLegacyMetricName } from '../model/index.ts'
import type { PushedFamily } from './family.ts'

/** How a reader wants names that are not old-style ones; `allow-utf-8`: as they are. */
export const ESCAPING_SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values'] as const
export type EscapingScheme = (typeof ESCAPING_SCHEMES)[number]

export function escapeName(name: string, scheme: EscapingScheme, isLegacy: (name: string) => boolean): string {
  // Also with dots, which would write an underscore as two: the original asks this of a page's names before it escapes any.
  if (scheme === 'allow-utf-8' || name === '' || isLegacy(name)) return name
  if (scheme === 'dots') return escapeDots(name)
  return scheme === 'values' ? `U__${[...name].map(valueOf).join('')}` : [...name].map(underscoreOf).join('')
}

const isLegacyCharacter = (char: string, index: number): boolean =>
  /[a-zA-Z_:]/.test(char) || (index > 0 && /\d/.test(char))

const underscoreOf = (char: string, index: number): string => (isLegacyCharacter(char, index) ? char : '_')

function valueOf(char: string, index: number): string {
  if (char === '_') return '__'
  return isLegacyCharacter(char, index) ? char : `_${char.codePointAt(0)!.toString(16)}_`
}

function escapeDots(name: string): string {
  return [...name]
    .map((char, i) => {
      if (char === '_') return '__'
      if (char === '.') return '_dot_'
      return isLegacyCharacter(char, i) ? char : '__'
    })
    .join('')
}

const VALUE_PREFIX = 'U__'

/** Undoes the scheme `values`; a name that is not in it, or not whole, stays as it is. */
export function unescapeName(name: string): string {
  if (!name.startsWith(VALUE_PREFIX)) return name
  let out = ''
  for (let at = VALUE_PREFIX.length; at < name.length; ) {
    const char = name[at]!
    if (char !== '_') {
      out += char
      at++
    } else if (name[at + 1] === '_') {
      out += '_'
      at += 2
    } else {
      const end = name.indexOf('_', at + 1)
      const digits = name.slice(at + 1, end < 0 ? undefined : end)
      const code = Number.parseInt(digits, 16)
      if (end < 0 || !/^[0-9a-fA-F]{1,6}$/.test(digits) || code > 0x10ffff) return name
      out += String.fromCodePoint(code)
      at = end + 1
    }
  }
  return out
}

export function escapeFamily(family: PushedFamily, scheme: EscapingScheme): PushedFamily {
  if (scheme === 'allow-utf-8') return family
  return {
    ...family,
    name: escapeName(family.name, scheme, isLegacyMetricName),
    metrics: family.metrics.map((metric) => ({
      ...metric,
      labels: metric.labels.map((text, i) => (i % 2 === 0 ? escapeName(text, scheme, isLegacyLabelName) : text)),
    })),
  }
}
