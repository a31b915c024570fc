// GSM 03.38: what fits into seven bits, and what takes an escape before it. The escape itself stands between Ξ and Æ.
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const ESCAPE = 0x1b
const EXTENDED: Readonly<Record<string, number>> = {
  '\f': 0x0a,
  '^': 0x14,
  '{': 0x28,
  '}': 0x29,
  '\\': 0x2f,
  '[': 0x3c,
  '~': 0x3d,
  ']': 0x3e,
  '|': 0x40,
  '€': 0x65,
}
const basicCodes = new Map(Array.from(BASIC, (char, code) => [char, code] as const).filter(([char]) => char !== '\x1b'))

const SINGLE_SEPTETS_MAX = 160
const PART_SEPTETS_MAX = 153
const SINGLE_UNITS_MAX = 70
const PART_UNITS_MAX = 67

export interface SmsSize {
  readonly encoding: 'GSM-7' | 'UCS-2'
  /** How many messages the network sends, and bills. */
  readonly segments: number
}

/** A text that is not all GSM-7 takes two bytes a character: 70 instead of 160 fit, and fewer when it is split. */
export function smsSize(text: string): SmsSize {
  const { encoding, parts } = smsParts(text)
  return { encoding, segments: parts.length }
}

export interface SmsParts {
  readonly encoding: SmsSize['encoding']
  /** One septet a byte, or two bytes a UTF-16 unit, high byte first. */
  readonly parts: readonly Buffer[]
}

/** The text as the network carries it; a character is never split between parts. */
export function smsParts(text: string): SmsParts {
  const chars = Array.from(text)
  const septets = chars.map(septetsOf)
  if (septets.every((codes) => codes !== undefined)) {
    return { encoding: 'GSM-7', parts: packed(septets, { singleMax: SINGLE_SEPTETS_MAX, partMax: PART_SEPTETS_MAX }) }
  }
  const units = chars.map((char) => [...Buffer.from(char, 'utf16le').swap16()])
  const limits = { singleMax: 2 * SINGLE_UNITS_MAX, partMax: 2 * PART_UNITS_MAX }
  return { encoding: 'UCS-2', parts: packed(units, limits) }
}

function septetsOf(char: string): number[] | undefined {
  const code = basicCodes.get(char)
  if (code !== undefined) return [code]
  const extended = EXTENDED[char]
  return extended === undefined ? undefined : [ESCAPE, extended]
}

function packed(chars: readonly number[][], limits: { singleMax: number; partMax: number }): Buffer[] {
  const total = chars.reduce((sum, bytes) => sum + bytes.length, 0)
  if (total <= limits.singleMax) return [Buffer.from(chars.flat())]
  const parts: number[][] = [[]]
  for (const bytes of chars) {
    if (parts.at(-1)!.length + bytes.length > limits.partMax) parts.push([])
    parts.at(-1)!.push(...bytes)
  }
  return parts.map((bytes) => Buffer.from(bytes))
}

/** Cuts between characters; the last one shows that something is missing. */
export function cutText(text: string, charsMax: number): string {
  const chars = Array.from(text)
  return chars.length <= charsMax ? text : `${chars.slice(0, charsMax - 3).join('')}...`
}
