import type { GoDuration, GoTime } from './go-time.ts'

/**
 * Values inside templates. Go tells integers from floats and templates depend on it (`eq $value 0` fails on a float, `%d`
 * refuses one), so a JavaScript `number` is a Go `float64` and a `bigint` is a Go `int`. Arrays are slices, plain objects
 * and `Map`s are `map[string]interface {}`, `undefined` and `null` are nil.
 */
export type GoValue =
  | undefined
  | null
  | string
  | boolean
  | number
  | bigint
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [name: string]: GoValue }
  | GoMap
  | GoStruct
  | GoSlice
  | GoTime
  | GoDuration
  | GoEnum
  | SafeText
  | TemplateFunction

export type ParamType = 'any' | 'string' | 'int' | 'float' | 'bool' | 'time' | 'duration' | 'slice' | 'strings' | 'map'

/** What a running function may use of the execution that called it. */
export interface CallContext {
  /** What `execute` was given. */
  readonly rootData: GoValue
  /** Runs a defined template and hands back its output. */
  executeTemplate(name: string, data: GoValue): string
}

/** A function or a bound method. Made by `templateFunction`. */
export class TemplateFunction {
  readonly params: readonly ParamType[]
  /** Type of the arguments beyond `params`; `undefined` when there may be none. */
  readonly variadic: ParamType | undefined
  readonly call: (args: readonly GoValue[], context: CallContext) => GoValue
  /** Set for a function that answers later; called at most once per distinct arguments and execution. */
  readonly callAsync: ((args: readonly GoValue[]) => Promise<GoValue>) | undefined

  constructor(fields: {
    params: readonly ParamType[]
    variadic?: ParamType
    call: (args: readonly GoValue[], context: CallContext) => GoValue
    callAsync?: (args: readonly GoValue[]) => Promise<GoValue>
  }) {
    this.params = fields.params
    this.variadic = fields.variadic
    this.call = fields.call
    this.callAsync = fields.callAsync
  }
}

interface ParamValues {
  any: GoValue
  string: string
  int: bigint
  float: number
  bool: boolean
  time: GoTime
  duration: GoDuration
  slice: readonly GoValue[]
  strings: readonly string[]
  map: ReadonlyMap<string, GoValue>
}
type ArgsOf<P extends readonly ParamType[]> = { [I in keyof P]: P[I] extends ParamType ? ParamValues[P[I]] : never }

/** A function of fixed arity; the evaluator checks count and types of the arguments before the call. */
export function templateFunction<const P extends readonly ParamType[]>(
  params: P,
  call: (...args: ArgsOf<P>) => GoValue,
): TemplateFunction {
  return new TemplateFunction({ params, call: (args) => call(...(args as unknown as ArgsOf<P>)) })
}

/** A function whose last parameter repeats. */
export function variadicFunction<V extends ParamType>(
  variadic: V,
  call: (...args: ParamValues[V][]) => GoValue,
): TemplateFunction {
  return new TemplateFunction({ params: [], variadic, call: (args) => call(...(args as ParamValues[V][])) })
}

/** A function that answers with a promise, such as `query`. */
export function asyncFunction<const P extends readonly ParamType[]>(
  params: P,
  callAsync: (...args: ArgsOf<P>) => Promise<GoValue>,
): TemplateFunction {
  return new TemplateFunction({
    params,
    call: () => undefined,
    callAsync: (args) => callAsync(...(args as unknown as ArgsOf<P>)),
  })
}

export type FunctionMap = Readonly<Record<string, TemplateFunction>>

/** A Go struct: fields by name in declaration order, methods, and how it prints. Unknown fields are errors. */
export class GoStruct {
  readonly typeName: string
  readonly fields: Readonly<Record<string, GoValue>>
  readonly methods: FunctionMap
  /** Its `String()` method, used by `%v`, `print` and output. */
  readonly text: (() => string) | undefined
  /** Key in `toJson` by field name; fields that are not named keep their own name. */
  readonly jsonNames: Readonly<Record<string, string>>

  constructor(
    typeName: string,
    fields: Readonly<Record<string, GoValue>>,
    more: { methods?: FunctionMap; text?: () => string; jsonNames?: Readonly<Record<string, string>> } = {},
  ) {
    this.typeName = typeName
    this.fields = fields
    this.methods = more.methods ?? {}
    this.text = more.text
    this.jsonNames = more.jsonNames ?? {}
  }
}

/** A Go map with string keys whose missing keys read as `zero` (missingkey=zero), optionally with methods. */
export class GoMap {
  readonly typeName: string
  readonly entries: ReadonlyMap<string, GoValue>
  readonly zero: GoValue
  readonly methods: FunctionMap
  readonly text: (() => string) | undefined

  constructor(
    entries: ReadonlyMap<string, GoValue>,
    more: { typeName?: string; zero?: GoValue; methods?: FunctionMap; text?: () => string } = {},
  ) {
    this.entries = entries
    this.typeName = more.typeName ?? 'map[string]interface {}'
    this.zero = more.zero
    this.methods = more.methods ?? {}
    this.text = more.text
  }
}

/** A Go slice of a named type with methods (`.Alerts.Firing`). A plain array is a slice without any. */
export class GoSlice {
  readonly typeName: string
  readonly items: readonly GoValue[]
  readonly methods: FunctionMap
  readonly text: (() => string) | undefined

  constructor(typeName: string, items: readonly GoValue[], more: { methods?: FunctionMap; text?: () => string } = {}) {
    this.typeName = typeName
    this.items = items
    this.methods = more.methods ?? {}
    this.text = more.text
  }
}

/** An integer with a name, such as time.Month: compares as its number, prints as its name. */
export class GoEnum {
  readonly typeName: string
  readonly value: bigint
  readonly text: string

  constructor(typeName: string, value: bigint, text: string) {
    this.typeName = typeName
    this.value = value
    this.text = text
  }
}

/** A string that HTML mode does not escape again in its own context. */
export class SafeText {
  /** `escaped`: the output of the `html` function, which html/template takes as it is. */
  readonly kind: 'html' | 'url' | 'escaped'
  readonly text: string

  constructor(kind: 'html' | 'url' | 'escaped', text: string) {
    this.kind = kind
    this.text = text
  }
}

/** A `map[string]string`: a missing key is ''. */
export function stringMap(record: Readonly<Record<string, string>>): GoMap {
  return new GoMap(new Map(Object.entries(record)), { typeName: 'map[string]string', zero: '' })
}
