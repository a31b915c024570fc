import { compareStrings, formatFloatGeneral } from '../model/index.ts'
import { formatFloat } from './go-float.ts'
import { quoteGo, quoteRune } from '../model/go-quote.ts'
import { entriesOf, integerOf, itemsOf, kindOf, stringerText, stringOf, typeNameOf } from './kinds.ts'
import { GoStruct, type GoValue } from './values.ts'

interface Spec {
  plus: boolean
  /** `%+v`: fields with their names. */
  named: boolean
  minus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  width: number
  /** -1 when not given. */
  precision: number
}

const PLAIN: Spec = {
  plus: false,
  named: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: 0,
  precision: -1,
}

/** As Go prints it with `%v`: `[a b]`, `map[a:1]`, `{x y}`; `String()` methods are asked. */
export const goText = (value: GoValue): string => formatValue(value, 'v', PLAIN)

/** Go's fmt.Sprint: spaces between operands when neither is a string. */
export function goSprint(values: readonly GoValue[]): string {
  let out = ''
  values.forEach((value, i) => {
    const isString = (v: GoValue): boolean => kindOf(v) === 'string'
    if (i > 0 && !isString(value) && !isString(values[i - 1])) out += ' '
    out += goText(value)
  })
  return out
}

/** Go's fmt.Sprintln. */
export const goSprintln = (values: readonly GoValue[]): string => `${values.map(goText).join(' ')}\n`

const DIRECTIVE = /%([+\-# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:\.(?:\[(\d+)\])?(\*|\d+)?)?(?:\[(\d+)\])?/y
// A width beyond this is a mistake (or an attack), and Go refuses it as well.
const WIDTH_MAX = 1_000_000

/** Go's fmt.Sprintf; mistakes are shown in the text as Go shows them (`%!d(string=hi)`). */
export function goSprintf(format: string, args: readonly GoValue[]): string {
  let out = ''
  let pos = 0
  let next = 0
  let reordered = false
  while (pos < format.length) {
    const percent = format.indexOf('%', pos)
    if (percent < 0) break
    out += format.slice(pos, percent)
    DIRECTIVE.lastIndex = percent
    const [text, flags = '', widthIndex, width, , precision, verbIndex] = DIRECTIVE.exec(format)!
    pos = percent + text.length
    const index = verbIndex ?? widthIndex
    if (index !== undefined) reordered = true
    if (widthIndex !== undefined && width === '*') next = Number(widthIndex) - 1
    const spec = readSpec(flags)
    let bad = ''
    const star = (what: 'WIDTH' | 'PREC'): number => {
      const value = args[next++]
      const number = typeof value === 'bigint' ? Number(value) : Number.NaN
      if (Number.isNaN(number) || Math.abs(number) > WIDTH_MAX) bad += `%!(BAD${what})`
      return Number.isNaN(number) ? 0 : number
    }
    if (width !== undefined) spec.width = width === '*' ? star('WIDTH') : Math.min(Number(width), WIDTH_MAX)
    if (spec.width < 0) {
      spec.minus = true
      spec.width = -spec.width
    }
    if (text.includes('.'))
      spec.precision = precision === '*' ? star('PREC') : Math.min(Number(precision ?? 0), WIDTH_MAX)
    out += bad
    const verb = String.fromCodePoint(format.codePointAt(pos) ?? 0)
    if (pos >= format.length) {
      out += '%!(NOVERB)'
      break
    }
    pos += verb.length
    if (verb === 'v' && spec.plus) {
      spec.plus = false
      spec.named = true
    }
    if (verb === '%') {
      out += '%'
      continue
    }
    if (index !== undefined && !(width === '*' && verbIndex === undefined)) next = Number(index) - 1
    if (next < 0 || next >= args.length) out += reordered ? `%!${verb}(BADINDEX)` : `%!${verb}(MISSING)`
    else out += verb === 'T' ? pad(typeNameOf(args[next]), spec) : formatValue(args[next], verb, spec)
    next++
  }
  out += format.slice(pos)
  if (!reordered && next < args.length) {
    const extra = args
      .slice(next)
      .map((value) => (kindOf(value) === 'nil' ? '<nil>' : `${typeNameOf(value)}=${goText(value)}`))
    out += `%!(EXTRA ${extra.join(', ')})`
  }
  return out
}

function readSpec(flags: string): Spec {
  return {
    plus: flags.includes('+'),
    named: false,
    minus: flags.includes('-'),
    sharp: flags.includes('#'),
    space: flags.includes(' '),
    zero: flags.includes('0') && !flags.includes('-'),
    width: 0,
    precision: -1,
  }
}

function formatValue(value: GoValue, verb: string, spec: Spec): string {
  const text = /[vsxXq]/.test(verb) && !(verb === 'v' && spec.sharp) ? stringerText(value) : undefined
  if (text !== undefined) return formatString(text, verb, spec) ?? badVerb(value, verb)
  switch (kindOf(value)) {
    case 'nil':
      return verb === 'v' ? pad('<nil>', spec) : `%!${verb}(<nil>)`
    case 'bool':
      return verb === 'v' || verb === 't' ? pad(String(value), spec) : badVerb(value, verb)
    case 'int':
      return formatInteger(integerOf(value), verb, spec) ?? badVerb(value, verb)
    case 'float':
      return formatNumber(value as number, verb, spec) ?? badVerb(value, verb)
    case 'string':
      return formatString(stringOf(value), verb, spec) ?? badVerb(value, verb)
    case 'slice':
      return formatSlice(value, verb, spec)
    case 'map':
      return formatMap(value, verb, spec)
    case 'struct':
      return formatStruct(value, verb, spec)
    case 'func':
      return badVerb(value, verb)
  }
}

function badVerb(value: GoValue, verb: string): string {
  return `%!${verb}(${typeNameOf(value)}=${kindOf(value) === 'func' ? '0x0' : goText(value)})`
}

function formatSlice(value: GoValue, verb: string, spec: Spec): string {
  const items = itemsOf(value).map((item) => formatValue(item, verb, spec))
  return verb === 'v' && spec.sharp ? `${typeNameOf(value)}{${items.join(', ')}}` : `[${items.join(' ')}]`
}

function formatMap(value: GoValue, verb: string, spec: Spec): string {
  const entries = [...entriesOf(value)].sort(([a], [b]) => compareStrings(a, b))
  const items = entries.map(([key, item]) => `${formatValue(key, verb, spec)}:${formatValue(item, verb, spec)}`)
  return verb === 'v' && spec.sharp ? `${typeNameOf(value)}{${items.join(', ')}}` : `map[${items.join(' ')}]`
}

function formatStruct(value: GoValue, verb: string, spec: Spec): string {
  if (!(value instanceof GoStruct)) return badVerb(value, verb)
  const named = verb === 'v' && (spec.named || spec.sharp)
  const items = Object.entries(value.fields).map(
    ([name, field]) => `${named ? `${name}:` : ''}${formatValue(field, verb, spec)}`,
  )
  return verb === 'v' && spec.sharp ? `${value.typeName}{${items.join(', ')}}` : `{${items.join(' ')}}`
}

function formatString(text: string, verb: string, spec: Spec): string | undefined {
  const cut = spec.precision >= 0 && verb !== 'v' ? [...text].slice(0, spec.precision).join('') : text
  switch (verb) {
    case 'v':
      return pad(spec.sharp ? quoteGo(text) : text, spec)
    case 's':
      return pad(cut, spec)
    case 'q':
      return pad(spec.sharp && !cut.includes('`') ? `\`${cut}\`` : quoteGo(cut), spec)
    case 'x':
    case 'X': {
      const hex = Buffer.from(text).toString('hex')
      const spaced = spec.space ? hex.replace(/..(?=.)/g, '$& ') : hex
      return pad(verb === 'X' ? spaced.toUpperCase() : spaced, spec)
    }
    default:
      return undefined
  }
}

const RADIX: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

function formatInteger(value: bigint, verb: string, spec: Spec): string | undefined {
  const codePoint = value >= 0n && value <= 0x10ffffn ? Number(value) : 0xfffd
  if (verb === 'c') return pad(String.fromCodePoint(codePoint), spec)
  if (verb === 'q') return pad(quoteRune(String.fromCodePoint(codePoint)), spec)
  if (verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, spec)
  const radix = RADIX[verb]
  if (radix === undefined) return undefined
  let digits = (value < 0n ? -value : value).toString(radix)
  if (verb === 'X') digits = digits.toUpperCase()
  if (spec.precision >= 0) digits = digits.padStart(spec.precision, '0')
  if (verb === 'O') digits = `0o${digits}`
  else if (spec.sharp && radix === 16) digits = `0${verb}${digits}`
  else if (spec.sharp && radix === 8) digits = `0${digits}`
  else if (spec.sharp && radix === 2) digits = `0b${digits}`
  return padNumber(value < 0n ? `-${digits}` : digits, spec, spec.precision < 0)
}

function formatNumber(value: number, verb: string, spec: Spec): string | undefined {
  let text: string
  switch (verb) {
    case 'v':
      text = spec.precision < 0 ? formatFloatGeneral(value) : formatFloat(value, 'g', spec.precision)
      break
    case 'g':
    case 'G':
      text = formatFloat(value, 'g', spec.precision)
      break
    case 'e':
    case 'E':
      text = formatFloat(value, 'e', spec.precision < 0 ? 6 : spec.precision)
      break
    case 'f':
    case 'F':
      text = formatFloat(value, 'f', spec.precision < 0 ? 6 : spec.precision)
      break
    case 'x':
    case 'X':
      text = hexFloat(value)
      break
    default:
      return undefined
  }
  if (verb === 'G' || verb === 'E' || verb === 'X') text = Number.isFinite(value) ? text.toUpperCase() : text
  return padNumber(text, spec, Number.isFinite(value))
}

/** `0x1.8p+01`. */
function hexFloat(value: number): string {
  if (!Number.isFinite(value)) return formatFloatGeneral(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  let mantissa = Math.abs(value)
  let exponent = 0
  while (mantissa >= 2) {
    mantissa /= 2
    exponent++
  }
  while (mantissa !== 0 && mantissa < 1) {
    mantissa *= 2
    exponent--
  }
  return `${sign}0x${mantissa.toString(16)}p${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** Sign flags, then width; zeros go between sign and digits. */
function padNumber(text: string, spec: Spec, zerosAllowed: boolean): string {
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  const shown = sign !== '' || text === 'NaN' ? sign : spec.plus ? '+' : spec.space ? ' ' : ''
  const digits = text.slice(sign.length)
  if (!spec.zero || !zerosAllowed) return pad(shown + digits, { ...spec, zero: false })
  return shown + digits.padStart(spec.width - shown.length, '0')
}

function pad(text: string, spec: Spec): string {
  const missing = spec.width - (spec.width > 0 ? [...text].length : 0)
  if (missing <= 0) return text
  if (spec.minus) return text + ' '.repeat(missing)
  return (spec.zero ? '0' : ' ').repeat(missing) + text
}
