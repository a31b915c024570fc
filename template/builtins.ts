import { equals, equalsAny, isLess } from './compare.ts'
import { TemplateFunctionError } from './errors.ts'
import { goSprint, goSprintf, goSprintln } from './go-format.ts'
import { escapeHtml, escapeJs, queryEscape } from './html-escape.ts'
import { entriesOf, integerOf, isTrue, itemsOf, kindOf, stringOf, typeNameOf, zeroOf } from './kinds.ts'
import {
  type FunctionMap,
  type GoValue,
  SafeText,
  TemplateFunction,
  templateFunction,
  variadicFunction,
} from './values.ts'

/** The functions of every Go template. `and` and `or` stand here for their names: the evaluator stops them early. */
export function builtinFunctions(mode: 'text' | 'html'): FunctionMap {
  // In HTML mode what is escaped by hand must not be escaped once more.
  const escaped = (kind: 'url' | 'escaped', text: string): GoValue =>
    mode === 'html' ? new SafeText(kind, text) : text
  return {
    and: variadicFunction('any', (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1)),
    or: variadicFunction('any', (...args) => args.find(isTrue) ?? args.at(-1)),
    not: templateFunction(['any'], (value) => !isTrue(value)),
    eq: new TemplateFunction({ params: ['any'], variadic: 'any', call: ([first, ...rest]) => equalsAny(first, rest) }),
    ne: templateFunction(['any', 'any'], (a, b) => !equals(a, b)),
    lt: templateFunction(['any', 'any'], isLess),
    le: templateFunction(['any', 'any'], (a, b) => isLess(a, b) || equals(a, b)),
    gt: templateFunction(['any', 'any'], (a, b) => !(isLess(a, b) || equals(a, b))),
    ge: templateFunction(['any', 'any'], (a, b) => !isLess(a, b)),
    len: templateFunction(['any'], lengthOf),
    index: new TemplateFunction({
      params: ['any'],
      variadic: 'any',
      call: ([item, ...keys]) => keys.reduce(indexInto, item),
    }),
    slice: new TemplateFunction({
      params: ['any'],
      variadic: 'any',
      call: ([item, ...bounds]) => sliceOf(item, bounds),
    }),
    print: variadicFunction('any', (...args) => goSprint(args)),
    println: variadicFunction('any', (...args) => goSprintln(args)),
    printf: new TemplateFunction({
      params: ['string'],
      variadic: 'any',
      call: ([format, ...args]) => goSprintf(format as string, args),
    }),
    html: variadicFunction('any', (...args) => escaped('escaped', escapeHtml(goSprint(args)))),
    js: variadicFunction('any', (...args) => escapeJs(goSprint(args))),
    urlquery: variadicFunction('any', (...args) => escaped('url', queryEscape(goSprint(args)))),
    call: new TemplateFunction({
      params: ['any'],
      variadic: 'any',
      call: ([fn, ...args], context) => callValue(fn, args, context),
    }),
  }
}

function lengthOf(item: GoValue): GoValue {
  switch (kindOf(item)) {
    case 'string':
      return BigInt(Buffer.byteLength(stringOf(item)))
    case 'slice':
      return BigInt(itemsOf(item).length)
    case 'map':
      return BigInt(entriesOf(item).size)
    case 'nil':
      throw new TemplateFunctionError('len of nil pointer')
    default:
      throw new TemplateFunctionError(`len of type ${typeNameOf(item)}`)
  }
}

function indexInto(item: GoValue, key: GoValue): GoValue {
  switch (kindOf(item)) {
    case 'nil':
      throw new TemplateFunctionError('index of untyped nil')
    case 'map': {
      if (kindOf(key) !== 'string')
        throw new TemplateFunctionError(`value has type ${typeNameOf(key)}; should be string`)
      const entries = entriesOf(item)
      return entries.has(stringOf(key)) ? entries.get(stringOf(key)) : zeroOf(item)
    }
    case 'slice': {
      const items = itemsOf(item)
      return items[position(key, items.length - 1)]
    }
    case 'string': {
      const bytes = Buffer.from(stringOf(item))
      return BigInt(bytes[position(key, bytes.length - 1)]!)
    }
    default:
      throw new TemplateFunctionError(`can't index item of type ${typeNameOf(item)}`)
  }
}

function position(key: GoValue, max: number): number {
  if (kindOf(key) === 'nil') throw new TemplateFunctionError('cannot index slice/array with nil')
  if (kindOf(key) !== 'int') throw new TemplateFunctionError(`cannot index slice/array with type ${typeNameOf(key)}`)
  const index = Number(integerOf(key))
  if (index < 0 || index > max) throw new TemplateFunctionError(`index out of range: ${index}`)
  return index
}

function sliceOf(item: GoValue, bounds: readonly GoValue[]): GoValue {
  const kind = kindOf(item)
  if (kind === 'nil') throw new TemplateFunctionError('slice of untyped nil')
  if (kind !== 'string' && kind !== 'slice')
    throw new TemplateFunctionError(`can't slice item of type ${typeNameOf(item)}`)
  if (bounds.length > (kind === 'string' ? 2 : 3)) {
    throw new TemplateFunctionError(
      kind === 'string' ? 'cannot 3-index slice a string' : `too many slice indexes: ${bounds.length}`,
    )
  }
  const bytes = kind === 'string' ? Buffer.from(stringOf(item)) : undefined
  const items = itemsOf(item)
  const length = bytes?.length ?? items.length
  const from = bounds.length > 0 ? position(bounds[0], length) : 0
  const to = bounds.length > 1 ? position(bounds[1], length) : length
  if (from > to) throw new TemplateFunctionError(`invalid slice index: ${from} > ${to}`)
  return bytes ? bytes.subarray(from, to).toString() : items.slice(from, to)
}

function callValue(fn: GoValue, args: readonly GoValue[], context: Parameters<TemplateFunction['call']>[1]): GoValue {
  if (kindOf(fn) === 'nil') throw new TemplateFunctionError('call of nil')
  if (!(fn instanceof TemplateFunction)) throw new TemplateFunctionError(`non-function of type ${typeNameOf(fn)}`)
  return fn.call(args, context)
}
