import { isIP } from 'node:net'
import { parseGoFloat } from '../model/index.ts'
import { TemplateFunctionError } from './errors.ts'
import { GoDuration } from './go-time.ts'
import { integerOf, kindOf, stringOf, typeNameOf } from './kinds.ts'
import type { GoValue } from './values.ts'

// A word may hold an apostrophe, a point or a colon between two letters.
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['.:·’](?=[\p{L}\p{N}])[\p{L}\p{N}\p{M}_]+)*/gu

/** First letters of words in upper case; the others stay as they are. */
export const titleCase = (text: string): string => text.replace(WORD, (word) => word.replace(/\p{L}/u, upperCase))

/** Go maps rune by rune: `ß` has no capital of its own and stays, a final sigma is like any other. */
export const upperCase = (text: string): string =>
  text.replace(/[^\0-\x7f]|[a-z]/gu, (rune) => oneRune(rune.toUpperCase(), rune))

export const lowerCase = (text: string): string =>
  text.replace(/[^\0-\x7f]|[A-Z]/gu, (rune) => (rune === 'İ' ? 'i' : oneRune(rune.toLowerCase(), rune)))

const oneRune = (mapped: string, rune: string): string => (mapped.length > 1 && [...mapped].length > 1 ? rune : mapped)

/** What the functions on numbers accept: numbers, texts of numbers, durations (as seconds). */
export function toFloat(value: GoValue): number {
  if (value instanceof GoDuration) return value.seconds
  switch (kindOf(value)) {
    case 'float':
      return value as number
    case 'int':
      return Number(integerOf(value))
    case 'string': {
      const text = stringOf(value)
      const number = parseGoFloat(text)
      if (number !== undefined) return number
      throw new TemplateFunctionError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
    }
    default:
      throw new TemplateFunctionError(`can't convert ${typeNameOf(value)} to float`)
  }
}

/** `host:port` or `[v6]:port` cut in two; `undefined` for anything else. */
function splitHostPort(text: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text)
  return match ? { host: match[1] ?? match[2] ?? '', port: match[3]! } : undefined
}

export const stripPort = (hostPort: string): string => splitHostPort(hostPort)?.host ?? hostPort

/** `web-1.example.org:80` → `web-1:80`; addresses stay. */
export function stripDomain(hostPort: string): string {
  const split = splitHostPort(hostPort)
  const host = split?.host ?? hostPort
  if (isIP(host) !== 0) return hostPort
  const label = host.split('.')[0]!
  if (split === undefined || split.port === '') return label
  return label.includes(':') ? `[${label}]:${split.port}` : `${label}:${split.port}`
}
