import { errorMessage } from '../lib/errors.ts'
import { checkArgument, literalArgument } from './arguments.ts'
import { type ChainNode, type CommandNode, type Node, nodeText, type OperandNode, type PipeNode } from './ast.ts'
import { TemplateExecError } from './errors.ts'
import { goText } from './go-format.ts'
import { methodOf } from './go-methods.ts'
import { quoteGo } from '../model/go-quote.ts'
import { entriesOf, isTrue, kindOf, typeNameOf, zeroOf } from './kinds.ts'
import type { ParsedTemplate } from './parser.ts'
import { type Answers, type Program, Suspension } from './program.ts'
import { type CallContext, GoStruct, type GoValue, type TemplateFunction } from './values.ts'

interface Variable {
  readonly name: string
  value: GoValue
}
/** Marks that a command got no value from the pipeline before it; nil is a value. */
const NOTHING = Symbol('no value')
type Final = GoValue | typeof NOTHING

/** Pipelines, fields and calls: everything that has a value. Statements are `Execution`'s. */
export abstract class ExpressionEvaluator {
  protected readonly program: Program
  protected readonly rootData: GoValue
  /** Innermost last. */
  protected variables: Variable[] = []
  protected template: ParsedTemplate | undefined
  /** The node under evaluation: errors point at it. */
  protected at: Node | OperandNode | CommandNode | undefined
  readonly #answers: Answers
  readonly #context: CallContext
  #steps = 0

  constructor(program: Program, rootData: GoValue, answers: Answers) {
    this.program = program
    this.rootData = rootData
    this.#answers = answers
    this.#context = { rootData, executeTemplate: (name, data) => this.capture(name, data) }
  }

  /** The output of a template by itself. */
  protected abstract capture(name: string, data: GoValue): string

  protected pipeline(pipe: PipeNode, dot: GoValue): GoValue {
    this.step(pipe)
    let value: Final = NOTHING
    for (const command of pipe.commands) value = this.#command(command, dot, value)
    const result = value === NOTHING ? undefined : value
    if (pipe.ofRange) return result
    for (const name of pipe.variables) {
      if (pipe.assigns) this.assign(name, result)
      else this.variables.push({ name, value: result })
    }
    return result
  }

  protected assign(name: string, value: GoValue): void {
    const variable = this.variables.findLast((v) => v.name === name)
    if (!variable) this.fail(`undefined variable: ${name}`)
    variable.value = value
  }

  #command(command: CommandNode, dot: GoValue, final: Final): GoValue {
    const first = command.args[0]!
    switch (first.kind) {
      case 'field':
        this.at = first
        return this.#fieldChain(dot, first.names, command.args, dot, final, first)
      case 'chain':
        return this.#chain(first, command.args, dot, final)
      case 'identifier':
        return this.#function(first.name, first, command, dot, final)
      case 'variable':
        return this.#variable(first, command.args, dot, final)
      case 'pipe':
        this.#noArguments(command, final)
        return this.pipeline(first, dot)
    }
    this.at = first
    this.#noArguments(command, final)
    if (first.kind === 'nil') this.fail('nil is not a command')
    return first.kind === 'dot' ? dot : first.value
  }

  #noArguments(command: CommandNode, final: Final): void {
    if (command.args.length > 1 || final !== NOTHING) {
      this.at = command.args[0]!
      this.fail(`can't give argument to non-function ${nodeText(command.args[0]!)}`)
    }
  }

  #variable(
    node: OperandNode & { kind: 'variable' },
    args: readonly OperandNode[],
    dot: GoValue,
    final: Final,
  ): GoValue {
    this.at = node
    const variable = this.variables.findLast((v) => v.name === node.name)
    if (!variable) this.fail(`undefined variable: ${node.name}`)
    if (node.names.length > 0) return this.#fieldChain(variable.value, node.names, args, dot, final, node)
    if (args.length > 1 || final !== NOTHING) this.fail(`can't give argument to non-function ${nodeText(node)}`)
    return variable.value
  }

  #chain(node: ChainNode, args: readonly OperandNode[], dot: GoValue, final: Final): GoValue {
    this.at = node
    const base = this.#operand(node.base, dot)
    return this.#fieldChain(base, node.names, args, dot, final, node)
  }

  #fieldChain(
    receiver: GoValue,
    names: readonly string[],
    args: readonly OperandNode[],
    dot: GoValue,
    final: Final,
    node: OperandNode,
  ): GoValue {
    let value = receiver
    // Bounded by the loop condition; only the last name gets the arguments.
    for (let i = 0; i < names.length - 1; i++) value = this.#field(value, names[i]!, [node], dot, NOTHING, node)
    return this.#field(value, names.at(-1)!, args, dot, final, node)
  }

  #field(
    receiver: GoValue,
    name: string,
    args: readonly OperandNode[],
    dot: GoValue,
    final: Final,
    node: OperandNode,
  ): GoValue {
    this.count()
    const method = methodOf(receiver, name)
    if (method) return this.#call(method, name, node, args, dot, final)
    const hasArguments = args.length > 1 || final !== NOTHING
    const kind = kindOf(receiver)
    if (kind === 'nil') {
      if (receiver === this.rootData) return undefined
      this.fail(`nil pointer evaluating interface {}.${name}`)
    }
    if (kind === 'map') {
      if (hasArguments) this.fail(`${name} is not a method but has arguments`)
      const entries = entriesOf(receiver)
      return entries.has(name) ? entries.get(name) : zeroOf(receiver)
    }
    if (receiver instanceof GoStruct && Object.hasOwn(receiver.fields, name)) {
      if (hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`)
      return receiver.fields[name]
    }
    return this.fail(`can't evaluate field ${name} in type ${typeNameOf(receiver)}`)
  }

  /** The value of an operand that is an argument of type `any`. */
  #operand(node: OperandNode, dot: GoValue): GoValue {
    this.step(node)
    switch (node.kind) {
      case 'dot':
        return dot
      case 'nil':
        return undefined
      case 'bool':
      case 'string':
      case 'number':
        return node.value
      case 'field':
        return this.#fieldChain(dot, node.names, [node], dot, NOTHING, node)
      case 'variable':
        return this.#variable(node, [node], dot, NOTHING)
      case 'chain':
        return this.#chain(node, [node], dot, NOTHING)
      case 'pipe':
        return this.pipeline(node, dot)
      case 'identifier':
        return this.#function(node.name, node, { kind: 'command', pos: node.pos, args: [node] }, dot, NOTHING)
    }
  }

  // ---- calls -----------------------------------------------------------------------------------------------------------

  #function(name: string, node: OperandNode, command: CommandNode, dot: GoValue, final: Final): GoValue {
    this.at = node
    const fn = this.program.functions[name]
    if (!fn) this.fail(`${quoteGo(name)} is not a defined function`)
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, command, dot, final)
    return this.#call(fn, name, command, command.args, dot, final)
  }

  #shortCircuit(name: 'and' | 'or', command: CommandNode, dot: GoValue, final: Final): GoValue {
    const operands = command.args.slice(1)
    if (operands.length === 0 && final === NOTHING) this.fail(`wrong number of args for ${name}: want at least 1 got 0`)
    let value: GoValue
    for (const operand of operands) {
      value = this.#operand(operand, dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    return final === NOTHING ? value : final
  }

  #call(
    fn: TemplateFunction,
    name: string,
    node: OperandNode | CommandNode,
    args: readonly OperandNode[],
    dot: GoValue,
    final: Final,
  ): GoValue {
    const given = args.length - 1 + (final === NOTHING ? 0 : 1)
    const wanted = fn.params.length
    if (fn.variadic === undefined && given !== wanted)
      this.fail(`wrong number of args for ${name}: want ${wanted} got ${given}`)
    if (given < wanted) this.fail(`wrong number of args for ${name}: want at least ${wanted} got ${given}`)
    const values: GoValue[] = []
    const fail = (why: string): never => this.fail(why)
    for (const operand of args.slice(1)) {
      const type = fn.params[values.length] ?? fn.variadic!
      this.at = operand
      const literal = literalArgument(operand, type, fail)
      values.push(literal ? literal.value : checkArgument(this.#operand(operand, dot), type, fail))
    }
    if (final !== NOTHING) values.push(checkArgument(final, fn.params[values.length] ?? fn.variadic!, fail))
    return this.#invoke(fn, name, node, values)
  }

  #invoke(fn: TemplateFunction, name: string, node: OperandNode | CommandNode, args: readonly GoValue[]): GoValue {
    let value: GoValue
    try {
      value = fn.callAsync ? this.#awaited(fn.callAsync, name, args) : fn.call(args, this.#context)
    } catch (error) {
      if (error instanceof Suspension) throw error // Not a failure.
      this.at = node
      return this.fail(`error calling ${name}: ${errorMessage(error)}`, error)
    }
    if (typeof value === 'string') this.checkLength(value.length)
    return value
  }

  #awaited(callAsync: NonNullable<TemplateFunction['callAsync']>, name: string, args: readonly GoValue[]): GoValue {
    const key = `${name}(${args.map(goText).join('\u0000')})`
    const answer = this.#answers.get(key)
    if (!answer) {
      if (this.#answers.size >= this.program.limits.asyncCallsMax) this.fail('template makes too many queries')
      throw new Suspension(key, callAsync(args))
    }
    if ('error' in answer) throw answer.error
    return answer.value
  }

  protected step(node: Node | OperandNode): void {
    this.at = node
    this.count()
  }

  protected count(): void {
    if (++this.#steps > this.program.limits.stepsMax) this.fail('template runs for too many steps')
  }

  protected checkLength(length: number): void {
    if (length > this.program.limits.outputLengthMax) this.fail('template output is too long')
  }

  protected fail(why: string, cause?: unknown): never {
    const options = cause === undefined ? undefined : { cause }
    const template = this.template
    if (!template) throw new TemplateExecError(`template: ${why}`, options)
    const shownName = quoteGo(template.name)
    if (!this.at) throw new TemplateExecError(`template: ${template.source.name}: ${why}`, options)
    const before = template.source.text.slice(0, this.at.pos)
    const line = before.split('\n').length
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))
    throw new TemplateExecError(
      `template: ${template.source.name}:${line}:${column}: executing ${shownName} at <${nodeText(this.at)}>: ${why}`,
      options,
    )
  }
}
