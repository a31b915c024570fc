import { builtinFunctions } from './builtins.ts'
import type { Program } from './program.ts'
import { runTemplate } from './run-template.ts'
import { isEmptyTemplate, type ParsedTemplate, parseTemplate } from './parser.ts'
import { undefinedCalls } from './undefined-calls.ts'
import type { FunctionMap, GoValue } from './values.ts'

export interface TemplateSource {
  /** Shows up in error messages; `{{ template }}` may call it by this name. */
  readonly name: string
  readonly text: string
}

/** Bounds of one execution; beyond them it fails instead of holding up the process. */
export interface TemplateLimits {
  /** Nodes evaluated. */
  readonly stepsMax: number
  /** Nested template calls. */
  readonly depthMax: number
  /** UTF-16 units written. */
  readonly outputLengthMax: number
  /** Distinct asynchronous calls (queries). */
  readonly asyncCallsMax: number
}

export interface TemplateOptions {
  /** `html` escapes what actions print, by where they stand (text, attribute, URL, script). Default `text`. */
  readonly mode?: 'text' | 'html'
  readonly functions?: FunctionMap
  readonly limits?: Partial<TemplateLimits>
}

export interface CompiledTemplate {
  /**
   * @param functions laid over those it was compiled with, for this run only
   * @throws {TemplateExecError}
   */
  execute(data: GoValue, functions?: FunctionMap): Promise<string>
  /** Calls of templates that nobody defines, wherever they stand: `name:line:column: why`. */
  undefinedCalls(): string[]
}

/** Templates that know each other by name. Immutable. */
export interface TemplateSet {
  readonly names: readonly string[]
  has(name: string): boolean
  /** @throws {TemplateExecError} also when there is no such template */
  execute(name: string, data: GoValue): Promise<string>
  /**
   * One more template that may call those of the set; what it defines stays its own.
   *
   * @throws {TemplateParseError}
   */
  compile(source: TemplateSource): CompiledTemplate
}

const DEFAULT_LIMITS: TemplateLimits = {
  stepsMax: 1_000_000,
  depthMax: 100,
  outputLengthMax: 4_000_000,
  asyncCallsMax: 1000,
}

/**
 * Parses all sources; a later definition of a name replaces an earlier one.
 *
 * @throws {TemplateParseError} at the first fault
 */
export function parseTemplates(sources: readonly TemplateSource[], options: TemplateOptions = {}): TemplateSet {
  const mode = options.mode ?? 'text'
  const functions = { ...builtinFunctions(mode), ...options.functions }
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  let templates: ReadonlyMap<string, ParsedTemplate> = new Map()
  for (const source of sources) {
    templates = withTemplates(
      templates,
      parseTemplate(source, (name) => Object.hasOwn(functions, name)),
    )
  }
  return createSet({ templates, functions, mode, limits })
}

/** A template that stands alone. @throws {TemplateParseError} */
export function compileTemplate(source: TemplateSource, options?: TemplateOptions): CompiledTemplate {
  return parseTemplates([], options).compile(source)
}

function createSet(program: Program): TemplateSet {
  return {
    names: [...program.templates.keys()],
    has: (name) => program.templates.has(name),
    execute: (name, data) => runTemplate(program, name, data),
    compile(source) {
      const parsed = parseTemplate(source, (name) => Object.hasOwn(program.functions, name))
      const templates = withTemplates(program.templates, parsed)
      templates.set(source.name, parsed.at(-1)!) // Its own body runs, even where it is empty.
      return {
        execute(data, functions) {
          const all = functions ? { ...program.functions, ...functions } : program.functions
          return runTemplate({ ...program, templates, functions: all }, source.name, data)
        },
        undefinedCalls: () => undefinedCalls(templates, source.name),
      }
    },
  }
}

/** An empty body does not replace a definition, so that a file may hold nothing but definitions. */
function withTemplates(
  known: ReadonlyMap<string, ParsedTemplate>,
  added: readonly ParsedTemplate[],
): Map<string, ParsedTemplate> {
  const templates = new Map(known)
  for (const template of added) {
    if (!isEmptyTemplate(template) || !templates.has(template.name)) templates.set(template.name, template)
  }
  return templates
}
