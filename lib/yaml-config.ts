import { type Document, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import type { z } from 'zod'
import { AppError } from './errors.ts'
import { NOT_PLAIN, readPlainYaml } from './yaml-subset.ts'

/** A configuration file that must not be used. `faults` has one `file:line:column: path: why` each, in file order. */
export class ConfigError extends AppError {
  override readonly code = 'ERR_CONFIG'
  override readonly httpStatus = 400
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** A parsed file that still knows where each value stood, for checks that a schema cannot express. */
export interface ParsedConfig<T> {
  readonly value: T
  /** `file:line:column: path: why` for a value, by its path in the document. */
  fault(path: readonly (string | number)[], why: string): string
}

/**
 * Reads a YAML file strictly: syntax, duplicate keys, then the schema (use `z.strictObject`, so that unknown keys fail).
 * An empty file is an empty object.
 *
 * @param options.scalarsAsText hands every scalar to the schema as the text it was written as, so that a label value `1.10`
 *   stays `1.10`
 * @throws {ConfigError} listing every fault
 */
export function parseConfig<T>(
  fileName: string,
  text: string,
  schema: z.ZodType<T>,
  options: { readonly scalarsAsText?: boolean } = {},
): ParsedConfig<T> {
  // Most files need no more, and it takes a tenth of the time. Faults, and where they stand, only the other can tell.
  const plain = readPlainYaml(text, options)
  const result = plain === NOT_PLAIN ? undefined : schema.safeParse(plain)
  if (result?.success !== true) return new Source(fileName, text, options).parse(schema)
  let source: Source | undefined
  return {
    value: result.data,
    fault: (path, why) => (source ??= new Source(fileName, text, options)).fault(path, why),
  }
}

/** A file as the reader of whole YAML sees it. */
class Source {
  readonly #fileName: string
  readonly #lines = new LineCounter()
  readonly #doc: Document

  constructor(fileName: string, text: string, options: { readonly scalarsAsText?: boolean }) {
    this.#fileName = fileName
    this.#doc = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      merge: true,
      uniqueKeys: true,
      ...(options.scalarsAsText ? { schema: 'failsafe' as const } : {}),
    })
  }

  /** @throws {ConfigError} */
  parse<T>(schema: z.ZodType<T>): ParsedConfig<T> {
    const { errors } = this.#doc
    if (errors.length > 0) throw new ConfigError(errors.map((e) => `${this.#at(e.pos[0])}: ${e.message}`))
    const fault = (path: readonly (string | number)[], why: string): string => this.fault(path, why)
    const plain = this.#toJs()
    let result = schema.safeParse(plain)
    // A union hides its issues, hence a few rounds.
    for (let round = 0; round < 3 && !result.success; round++) {
      if (!readAsDeclared(plain, result.error.issues as readonly Issue[], this.#doc)) break
      result = schema.safeParse(plain)
    }
    if (result.success) return { value: result.data, fault }
    throw new ConfigError(faultsOf(result.error.issues as readonly Issue[], [], fault))
  }

  fault(path: readonly (string | number)[], why: string): string {
    return `${this.#at(this.#locate(path))}: ${path.length > 0 ? `${pathText(path)}: ` : ''}${why}`
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.#fileName}:${line}:${col}`
  }

  #locate(path: readonly (string | number)[]): number {
    const doc = this.#doc
    // The nearest existing ancestor tells where something that is missing should have been.
    for (let depth = path.length; depth > 0; depth--) {
      const node =
        keyNodeOf(doc.getIn(path.slice(0, depth - 1), true), path[depth - 1]) ?? doc.getIn(path.slice(0, depth), true)
      if (isNode(node) && node.range) return node.range[0]
    }
    return doc.contents?.range?.[0] ?? 0
  }

  #toJs(): unknown {
    try {
      return this.#doc.toJS({ maxAliasCount: 1000 }) ?? {}
    } catch (error) {
      throw new ConfigError([`${this.#fileName}:1:1: ${(error as Error).message}`])
    }
  }
}

const YAML_1_1_BOOLEANS: Readonly<Record<string, boolean>> = {
  y: true,
  yes: true,
  on: true,
  n: false,
  no: false,
  off: false,
}

/**
 * Go decides by the declared type what a plain scalar is: `version: 1.10` is the text "1.10" where text is wanted, and
 * `honor_labels: yes` is true. Rewrites such values in `plain`; returns whether there were any.
 */
function readAsDeclared(plain: unknown, issues: readonly Issue[], doc: Document): boolean {
  let changed = false
  for (const { code, expected, path } of issues) {
    if (code !== 'invalid_type' || path.length === 0) continue
    const node = doc.getIn(path as (string | number)[], true)
    if (!isScalar(node) || node.type !== 'PLAIN' || node.source === undefined) continue
    const value =
      expected === 'string' && node.value !== null
        ? node.source
        : expected === 'boolean'
          ? YAML_1_1_BOOLEANS[node.source.toLowerCase()]
          : undefined
    if (value !== undefined && value !== node.value) changed = writeAt(plain, path, value) || changed
  }
  return changed
}

function writeAt(root: unknown, path: readonly PropertyKey[], value: unknown): boolean {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], root)
  if (typeof parent !== 'object' || parent === null) return false
  ;(parent as Record<PropertyKey, unknown>)[path.at(-1)!] = value
  return true
}

interface Issue {
  readonly expected?: string
  readonly code?: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly errors?: readonly (readonly Issue[])[]
}

function faultsOf(
  issues: readonly Issue[],
  prefix: readonly (string | number)[],
  fault: (path: readonly (string | number)[], why: string) => string,
): string[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...(issue.path as (string | number)[])]
    // Point at each unknown key itself, not at the object that holds it.
    if (issue.code === 'unrecognized_keys' && issue.keys)
      return issue.keys.map((key) => fault([...path, key], 'unknown key'))
    // Of a union, the branch that got furthest says what the writer meant.
    if (issue.code === 'invalid_union' && issue.errors && issue.errors.length > 0) {
      const best = issue.errors.reduce((a, b) => (depthOf(b) > depthOf(a) ? b : a))
      return faultsOf(best, path, fault)
    }
    return [fault(path, issue.message)]
  })
}

const depthOf = (issues: readonly Issue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length))

function keyNodeOf(parent: unknown, key: string | number | undefined): Node | undefined {
  if (typeof key !== 'string' || typeof parent !== 'object' || parent === null || !('items' in parent)) return undefined
  for (const pair of parent.items as { key?: unknown }[]) {
    if (isNode(pair.key) && 'value' in pair.key && pair.key.value === key) return pair.key
  }
  return undefined
}

const pathText = (path: readonly (string | number)[]): string => path.map(String).join('.')
