import { createHash } from 'node:crypto'
import { RE2JS } from 're2js'
import { AppError, errorMessage } from '../../lib/index.ts'
import { type Labels, labelsFromEntries } from '../../model/index.ts'
import type { RelabelConfig } from '../config.ts'

/** A rule that cannot work. `index` counts from 0. */
export class RelabelError extends AppError {
  override readonly code = 'ERR_RELABEL'
  override readonly httpStatus = 400
  readonly index: number

  constructor(index: number, why: string, options?: ErrorOptions) {
    super(`relabel rule ${index + 1}: ${why}`, options)
    this.index = index
  }
}

/** What the rules make of a label set; `undefined` = dropped. */
export type Relabel = (labels: Labels) => Labels | undefined

/** Labels while rules work on them; a missing label and an empty one are the same. Returns false to drop. */
type Rule = (labels: Map<string, string>) => boolean

/** @throws {RelabelError} */
export function compileRelabel(configs: readonly RelabelConfig[]): Relabel {
  const rules = configs.map(compileRule)
  return (labels) => {
    const working = new Map<string, string>()
    for (let i = 0; i < labels.length; i += 2) working.set(labels[i]!, labels[i + 1]!)
    for (const rule of rules) if (!rule(working)) return undefined
    return labelsFromEntries(working)
  }
}

function compileRule(config: RelabelConfig, index: number): Rule {
  const { sourceLabels = [], separator = ';', targetLabel = '', replacement = '$1', action = 'replace' } = config
  const regex = compileRegex(config.regex ?? '(.*)', index)
  const source =
    sourceLabels.length === 1
      ? (labels: Map<string, string>): string => labels.get(sourceLabels[0]!) ?? ''
      : (labels: Map<string, string>): string => sourceLabels.map((name) => labels.get(name) ?? '').join(separator)
  const needsTarget = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'].includes(action)
  if (needsTarget && targetLabel === '') throw new RelabelError(index, `action ${action} requires target_label`)
  switch (action) {
    case 'replace':
      return replaceRule(source, regex, compileTemplate(targetLabel), compileTemplate(replacement))
    case 'keep':
      return (labels) => regex.matches(source(labels))
    case 'drop':
      return (labels) => !regex.matches(source(labels))
    case 'keepequal':
      return (labels) => (labels.get(targetLabel) ?? '') === source(labels)
    case 'dropequal':
      return (labels) => (labels.get(targetLabel) ?? '') !== source(labels)
    case 'hashmod': {
      const { modulus = 0 } = config
      if (!Number.isInteger(modulus) || modulus < 1) throw new RelabelError(index, 'action hashmod requires a modulus')
      return (labels) => set(labels, targetLabel, hashModulo(source(labels), modulus))
    }
    case 'labelmap':
      return labelMapRule(regex, compileTemplate(replacement))
    case 'labeldrop':
      return (labels) => removeNames(labels, (name) => regex.matches(name))
    case 'labelkeep':
      return (labels) => removeNames(labels, (name) => !regex.matches(name))
    case 'lowercase':
      return (labels) =>
        set(
          labels,
          targetLabel,
          mapCase(source(labels), (c) => c.toLowerCase()),
        )
    case 'uppercase':
      return (labels) =>
        set(
          labels,
          targetLabel,
          mapCase(source(labels), (c) => c.toUpperCase()),
        )
    default:
      throw new RelabelError(index, `unknown action ${JSON.stringify(action)}`)
  }
}

function replaceRule(
  source: (labels: Map<string, string>) => string,
  regex: RE2JS,
  target: Template,
  replacement: Template,
): Rule {
  return (labels) => {
    const match = regex.matcher(source(labels))
    if (!match.matches()) return true
    const name = target(match)
    return name === '' || set(labels, name, replacement(match))
  }
}

function labelMapRule(regex: RE2JS, replacement: Template): Rule {
  return (labels) => {
    // A copy: labels that the rule adds are not mapped again.
    const before = Array.from(labels)
    for (const [name, value] of before) {
      const match = regex.matcher(name)
      const mapped = match.matches() ? replacement(match) : ''
      if (mapped !== '') set(labels, mapped, value)
    }
    return true
  }
}

function compileRegex(pattern: string, index: number): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL)
  } catch (error) {
    throw new RelabelError(index, errorMessage(error), { cause: error })
  }
}

type Match = ReturnType<RE2JS['matcher']>
type Template = (match: Match) => string

/**
 * Go's Expand: `$name` and `${name}` stand for a group by number or name, `$$` for a dollar; a name is as long as letters,
 * digits and underscores go, and a group that does not exist is empty.
 */
function compileTemplate(text: string): Template {
  if (!text.includes('$')) return () => text
  const parts = [...text.matchAll(/\$(?:(\$)|(\w+)|\{(\w+)\})|[^$]+|\$/g)].map((part): string | Template => {
    const [whole, dollar, name = part[3]] = part
    if (dollar !== undefined) return '$'
    if (name === undefined) return whole === '$' ? '' : whole
    return (match) => groupText(match, name)
  })
  return (match) => parts.map((part) => (typeof part === 'string' ? part : part(match))).join('')
}

function groupText(match: Match, name: string): string {
  if (/^\d+$/.test(name)) {
    const number = Number(name)
    return number <= match.groupCount() ? (match.group(number) ?? '') : ''
  }
  return match.getNamedGroups()[name] ?? ''
}

function set(labels: Map<string, string>, name: string, value: string): true {
  if (value === '') labels.delete(name)
  else labels.set(name, value)
  return true
}

function removeNames(labels: Map<string, string>, goes: (name: string) => boolean): true {
  for (const name of labels.keys()) if (goes(name)) labels.delete(name)
  return true
}

/** The last eight bytes of the MD5, as the reference takes them. */
function hashModulo(text: string, modulus: number): string {
  const digest = createHash('md5').update(text).digest()
  return String(digest.readBigUInt64BE(8) % BigInt(modulus))
}

/** Go maps each code point to one code point; JavaScript may give several (ß → SS), those stay as they are. */
const mapCase = (text: string, map: (c: string) => string): string =>
  Array.from(text, (c) => (map(c).length === c.length ? map(c) : c)).join('')
