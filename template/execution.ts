import { compareStrings } from '../model/index.ts'
import { type BranchNode, type ListNode, type Node, nodeText, type PipeNode, type TemplateNode } from './ast.ts'
import { TemplateExecError } from './errors.ts'
import { ExpressionEvaluator } from './expression-evaluator.ts'
import { goText } from './go-format.ts'
import { quoteGo } from '../model/go-quote.ts'
import { HtmlWriter } from './html-writer.ts'
import { entriesOf, isTrue, itemsOf, kindOf, typeNameOf } from './kinds.ts'
import type { ParsedTemplate } from './parser.ts'
import type { Answers, Program } from './program.ts'
import { TextWriter, type Writer } from './text-writer.ts'
import type { GoValue } from './values.ts'

type Flow = 'next' | 'break' | 'continue'

/** One run of a template over its data. */
export class Execution extends ExpressionEvaluator {
  #writer: Writer
  #depth = 0

  constructor(program: Program, rootData: GoValue, answers: Answers) {
    super(program, rootData, answers)
    this.#writer = this.#newWriter()
  }

  run(name: string): string {
    const template = this.program.templates.get(name)
    if (!template) throw new TemplateExecError(`template: no template ${quoteGo(name)}`)
    this.#enter(template, this.rootData)
    return this.#writer.result()
  }

  #newWriter(): Writer {
    return this.program.mode === 'html' ? new HtmlWriter() : new TextWriter()
  }

  protected override capture(name: string, data: GoValue): string {
    const template = this.program.templates.get(name)
    if (!template) throw new TemplateExecError(`template: no template ${quoteGo(name)}`)
    const outer = this.#writer
    this.#writer = this.#newWriter()
    try {
      this.#enter(template, data)
      return this.#writer.result()
    } finally {
      this.#writer = outer
    }
  }

  /** Runs one template's tree with its own variables. */
  #enter(template: ParsedTemplate, data: GoValue): void {
    if (this.#depth >= this.program.limits.depthMax)
      this.fail(`exceeded maximum template depth (${this.program.limits.depthMax})`)
    const outer = { template: this.template, variables: this.variables, at: this.at }
    this.#depth++
    this.template = template
    this.variables = [{ name: '$', value: data }]
    this.#list(template.root, data)
    this.#depth--
    this.template = outer.template
    this.variables = outer.variables
    this.at = outer.at
  }

  // ---- statements ------------------------------------------------------------------------------------------------------

  #list(list: ListNode, dot: GoValue): Flow {
    for (const node of list.nodes) {
      const flow = this.#node(node, dot)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  #node(node: Node, dot: GoValue): Flow {
    this.step(node)
    switch (node.kind) {
      case 'text':
        this.#writer.text(node.text)
        this.checkLength(this.#writer.length)
        return 'next'
      case 'action':
        this.#action(node.pipe, node, dot)
        return 'next'
      case 'if':
      case 'with':
        return this.#ifOrWith(node, dot)
      case 'range':
        return this.#range(node, dot)
      case 'template':
        this.#templateCall(node, dot)
        return 'next'
      case 'break':
      case 'continue':
        return node.kind
    }
  }

  #action(pipe: PipeNode, node: Node, dot: GoValue): void {
    const value = this.pipeline(pipe, dot)
    if (pipe.variables.length > 0) return
    this.at = node
    const kind = kindOf(value)
    if (kind === 'func') this.fail(`can't print ${nodeText(node)} of type ${typeNameOf(value)}`)
    this.#writer.value(value)
    this.checkLength(this.#writer.length)
  }

  #ifOrWith(node: BranchNode, dot: GoValue): Flow {
    const mark = this.variables.length
    const value = this.pipeline(node.pipe, dot)
    let flow: Flow = 'next'
    if (isTrue(value)) flow = this.#list(node.list, node.kind === 'with' ? value : dot)
    else if (node.elseList) flow = this.#list(node.elseList, dot)
    this.variables.length = mark
    return flow
  }

  #range(node: BranchNode, dot: GoValue): Flow {
    const mark = this.variables.length
    const value = this.pipeline(node.pipe, dot)
    let count = 0
    for (const [key, item] of this.#entries(value)) {
      count++
      this.step(node)
      const bodyMark = this.variables.length
      this.#setLoopVariables(node.pipe, key, item)
      const flow = this.#list(node.list, item)
      this.variables.length = bodyMark
      if (flow === 'break') break
    }
    let flow: Flow = 'next'
    if (count === 0 && node.elseList) flow = this.#list(node.elseList, dot)
    this.variables.length = mark
    return flow
  }

  *#entries(value: GoValue): Generator<[GoValue, GoValue]> {
    switch (kindOf(value)) {
      case 'nil':
        return
      case 'slice':
        yield* itemsOf(value).map((item, i): [GoValue, GoValue] => [BigInt(i), item])
        return
      case 'map':
        yield* [...entriesOf(value)].sort(([a], [b]) => compareStrings(a, b))
        return
      case 'int':
        if (typeof value !== 'bigint') break
        for (let i = 0n; i < value; i++) yield [i, i]
        return
    }
    this.fail(`range can't iterate over ${goText(value)}`)
  }

  #setLoopVariables(pipe: PipeNode, key: GoValue, item: GoValue): void {
    const [first, second] = pipe.variables
    if (first === undefined) return
    const values: [string, GoValue][] =
      second === undefined
        ? [[first, item]]
        : [
            [first, key],
            [second, item],
          ]
    for (const [name, value] of values) {
      if (pipe.assigns) this.assign(name, value)
      else this.variables.push({ name, value })
    }
  }

  #templateCall(node: TemplateNode, dot: GoValue): void {
    const template = this.program.templates.get(node.name)
    if (!template) this.fail(`template ${quoteGo(node.name)} not defined`)
    const data = node.pipe ? this.pipeline(node.pipe, dot) : undefined
    this.at = node
    this.#enter(template, data)
  }
}
