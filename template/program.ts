import type { ParsedTemplate } from './parser.ts'
import type { TemplateLimits } from './template-set.ts'
import type { FunctionMap, GoValue } from './values.ts'

/** What an execution needs of its set. */
export interface Program {
  readonly templates: ReadonlyMap<string, ParsedTemplate>
  readonly functions: FunctionMap
  readonly mode: 'text' | 'html'
  readonly limits: TemplateLimits
}

/** What asynchronous functions have answered in this execution, by call. */
export type Answers = Map<string, Answer>
type Answer = { readonly value: GoValue } | { readonly error: unknown }

/** Thrown where an asynchronous function has no answer yet; the execution starts over when it is there. */
export class Suspension {
  readonly key: string
  readonly answer: Promise<GoValue>

  constructor(key: string, answer: Promise<GoValue>) {
    this.key = key
    this.answer = answer
  }
}
