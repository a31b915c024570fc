// What can be chosen for a variable: its query taken apart, the answer filtered by its pattern and sorted.
import { referencedNames } from './interpolate.ts'
import { ALL_VALUE, type Variable, type VariableOption } from './variable.ts'

export type VariableQuery =
  | { readonly kind: 'label_values'; readonly label: string; readonly selector: string }
  | { readonly kind: 'label_names'; readonly selector: string }
  | { readonly kind: 'metrics'; readonly pattern: string }
  | { readonly kind: 'query_result'; readonly expr: string }
  | { readonly kind: 'series'; readonly selector: string }

/** @param text after interpolation; any text that is none of the functions is a selector of series */
export function parseVariableQuery(text: string): VariableQuery | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const call = /^(label_values|label_names|metrics|query_result)\(([\s\S]*)\)\s*$/.exec(trimmed)
  if (call === null) return { kind: 'series', selector: trimmed }
  const inner = call[2]!.trim()
  switch (call[1]) {
    case 'label_names':
      return { kind: 'label_names', selector: inner }
    case 'metrics':
      return { kind: 'metrics', pattern: inner }
    case 'query_result':
      return { kind: 'query_result', expr: inner }
    default: {
      const comma = inner.lastIndexOf(',')
      const label = inner.slice(comma + 1).trim()
      // A comma inside of braces does not part selector and label.
      if (comma < 0 || /[}"]/.test(label)) return { kind: 'label_values', label: inner, selector: '' }
      return { kind: 'label_values', label: label.replaceAll(/^"|"$/g, ''), selector: inner.slice(0, comma).trim() }
    }
  }
}

/** Options from an answer's texts: those the pattern matches, each once, in the order asked for. */
export function optionsFrom(
  texts: readonly string[],
  { regex, sort }: Pick<Variable, 'regex' | 'sort'>,
): VariableOption[] {
  const pattern = parsePattern(regex)
  const found = new Map<string, VariableOption>()
  for (const text of texts) {
    const option = pattern === undefined ? { text, value: text } : matched(text, pattern)
    if (option !== undefined && option.value !== '' && !found.has(option.value)) found.set(option.value, option)
  }
  return sortOptions([...found.values()], sort)
}

/** `/pattern/flags`, or a bare pattern; one that cannot be read matches everything. */
function parsePattern(regex: string): RegExp | undefined {
  if (regex.trim() === '') return undefined
  const delimited = /^\/([\s\S]*)\/([gimsuy]*)$/.exec(regex.trim())
  try {
    return new RegExp(delimited?.[1] ?? regex, (delimited?.[2] ?? '').replaceAll(/[gy]/g, ''))
  } catch {
    return undefined
  }
}

/** Named groups `text` and `value`, else the first group, else the whole. */
function matched(text: string, pattern: RegExp): VariableOption | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const { value, text: shown } = match.groups ?? {}
  if (value !== undefined || shown !== undefined) return { value: value ?? shown!, text: shown ?? value! }
  const first = match.length > 1 ? match.slice(1).find((group) => group !== undefined) : text
  return first === undefined ? undefined : { text: first, value: first }
}

export function sortOptions(options: readonly VariableOption[], sort: number): VariableOption[] {
  if (sort === 0) return [...options]
  const kind = Math.floor((sort - 1) / 2)
  const byText = new Intl.Collator('en', { sensitivity: kind === 2 ? 'base' : 'variant', numeric: kind === 3 })
  const number = ({ text }: VariableOption) => Number(/\d+(?:\.\d+)?/.exec(text)?.[0] ?? -1)
  const compare =
    kind === 1
      ? (a: VariableOption, b: VariableOption) => number(a) - number(b)
      : kind === 0
        ? (a: VariableOption, b: VariableOption) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
        : (a: VariableOption, b: VariableOption) => byText.compare(a.text, b.text)
  const sorted = [...options].sort(compare)
  return sort % 2 === 0 ? sorted.reverse() : sorted
}

/** Options a variable states itself: `a, b : c` pairs, escaped commas, intervals. */
export function statedOptions({ type, query }: Pick<Variable, 'type' | 'query'>): VariableOption[] {
  const parts = query.match(/(?:\\,|[^,])+/g) ?? []
  return parts
    .map((part) => part.replaceAll('\\,', ',').trim())
    .filter((part) => part !== '')
    .map((part) => {
      const pair = type === 'custom' ? /^(.+?)\s:\s(.+)$/.exec(part) : null
      return pair === null ? { text: part, value: part } : { text: pair[1]!.trim(), value: pair[2]!.trim() }
    })
}

/**
 * What is chosen once the options are known: what the address or the board says as far as it still exists, else the first.
 *
 * @param wanted values asked for, `undefined` where nobody asked
 */
export function chosenValues(
  variable: Variable,
  options: readonly VariableOption[],
  wanted: readonly string[] | undefined,
): string[] {
  const asked = (wanted ?? variable.current.map(({ value }) => value)).map((one) =>
    one === 'All' && variable.includeAll ? ALL_VALUE : one,
  )
  if (variable.includeAll && asked.includes(ALL_VALUE)) return [ALL_VALUE]
  const known = new Set(options.map(({ value }) => value))
  const byText = new Map(options.map(({ text, value }) => [text, value]))
  const kept = asked.map((one) => (known.has(one) ? one : byText.get(one))).filter((one) => one !== undefined)
  // An address may name a value that has no data now; it stays, so that the link means what it says.
  if (kept.length === 0 && wanted !== undefined && wanted.length > 0 && wanted[0] !== '') return [...wanted]
  if (kept.length > 0) return variable.multi ? kept : kept.slice(0, 1)
  if (variable.includeAll) return [ALL_VALUE]
  return options.slice(0, 1).map(({ value }) => value)
}

/**
 * The order in which variables can be found out: each after those it refers to.
 *
 * @returns also the names that go round in a circle; these come last, in the board's order
 */
export function dependencyOrder(variables: readonly Variable[]): { order: Variable[]; circular: string[] } {
  const names = new Set(variables.map(({ name }) => name))
  const needs = new Map(
    variables.map((variable) => [
      variable.name,
      new Set(
        [...referencedNames(`${variable.query} ${variable.regex}`)].filter(
          (name) => names.has(name) && name !== variable.name,
        ),
      ),
    ]),
  )
  const order: Variable[] = []
  const done = new Set<string>()
  let waiting = [...variables]
  while (waiting.length > 0) {
    const ready = waiting.filter(({ name }) => [...needs.get(name)!].every((one) => done.has(one)))
    if (ready.length === 0) break
    for (const variable of ready) done.add(variable.name)
    order.push(...ready)
    waiting = waiting.filter((variable) => !done.has(variable.name))
  }
  return { order: [...order, ...waiting], circular: waiting.map(({ name }) => name) }
}
