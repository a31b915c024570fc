import type { BranchNode, CommandNode, ListNode, Node, OperandNode, PipeNode } from './ast.ts'
import { quoteGo } from '../model/go-quote.ts'
import type { Token, TokenType } from './lexer.ts'
import { TokenReader } from './token-reader.ts'

/** One parsed template: its tree and the text that error positions refer to. */
export interface ParsedTemplate {
  readonly name: string
  readonly source: { readonly name: string; readonly text: string }
  readonly root: ListNode
}

/**
 * Parses one text: the template itself under `source.name`, and what it defines.
 *
 * @throws {TemplateParseError}
 */
export function parseTemplate(
  source: { readonly name: string; readonly text: string },
  isFunction: (name: string) => boolean,
): ParsedTemplate[] {
  const parser = new Parser(source, isFunction)
  const root = parser.parseFile()
  return [...parser.defined, { name: source.name, source, root }]
}

/** Whether it prints nothing but space; such a template does not replace another of its name. */
export const isEmptyTemplate = (template: ParsedTemplate): boolean =>
  template.root.nodes.every((node) => node.kind === 'text' && node.text.trim() === '')

type Ending = 'end' | 'else' | 'eof'
interface Block {
  readonly list: ListNode
  readonly ending: Ending
}

// A tree deeper than this overflows the stack of whoever walks it.
const NESTING_MAX = 200

class Parser {
  readonly defined: ParsedTemplate[] = []
  readonly #source: { readonly name: string; readonly text: string }
  readonly #isFunction: (name: string) => boolean
  readonly #tokens: TokenReader
  #variables: string[] = ['$']
  #rangeDepth = 0
  #nesting = 0

  constructor(source: { readonly name: string; readonly text: string }, isFunction: (name: string) => boolean) {
    this.#source = source
    this.#isFunction = isFunction
    this.#tokens = new TokenReader(source)
  }

  parseFile(): ListNode {
    const nodes: Node[] = []
    for (;;) {
      const token = this.#tokens.next()
      if (token.type === 'eof') return { nodes }
      if (token.type === 'left' && this.#tokens.peekNonSpace().text === 'define') {
        this.#tokens.nextNonSpace()
        this.#definition()
        continue
      }
      const node = this.#textOrAction(token)
      if (node === 'end' || node === 'else') this.#tokens.fail(`unexpected {{${node}}}`, token)
      nodes.push(node)
    }
  }

  // ---- blocks ----------------------------------------------------------------------------------------------------------

  #definition(): void {
    const context = 'define clause'
    const nameToken = this.#tokens.nextNonSpace()
    const name = this.#templateName(nameToken, context)
    this.#tokens.expectRight(context)
    this.#define({ name, source: this.#source, root: this.#body(context, nameToken) }, nameToken)
  }

  /** Up to its {{end}}, with variables of its own. */
  #body(context: string, opening: Token): ListNode {
    const outer = { variables: this.#variables, rangeDepth: this.#rangeDepth }
    this.#variables = ['$']
    this.#rangeDepth = 0
    const { list, ending } = this.#itemList(opening)
    if (ending !== 'end') this.#tokens.fail(`unexpected {{${ending}}} in ${context}`, opening)
    this.#variables = outer.variables
    this.#rangeDepth = outer.rangeDepth
    return list
  }

  #define(template: ParsedTemplate, at: Token): void {
    const known = this.defined.findIndex((other) => other.name === template.name)
    if (known < 0) this.defined.push(template)
    else if (isEmptyTemplate(this.defined[known]!)) this.defined[known] = template
    else if (!isEmptyTemplate(template))
      this.#tokens.fail(`template: multiple definition of template ${quoteGo(template.name)}`, at)
  }

  #itemList(opening: Token): Block {
    if (++this.#nesting > NESTING_MAX) this.#tokens.fail('blocks are nested too deeply', opening)
    const nodes: Node[] = []
    for (;;) {
      const token = this.#tokens.next()
      if (token.type === 'eof') this.#tokens.fail('unexpected EOF', token)
      const node = this.#textOrAction(token)
      if (node === 'end' || node === 'else') {
        this.#nesting--
        return { list: { nodes }, ending: node }
      }
      nodes.push(node)
    }
  }

  #textOrAction(token: Token): Node | 'end' | 'else' {
    if (token.type === 'text') return { kind: 'text', pos: token.pos, text: token.text }
    if (token.type === 'left') return this.#action()
    return this.#tokens.unexpected(token, 'input')
  }

  #action(): Node | 'end' | 'else' {
    const token = this.#tokens.nextNonSpace()
    if (token.type !== 'keyword') {
      this.#tokens.back()
      return { kind: 'action', pos: token.pos, pipe: this.#pipeline('command', 'right') }
    }
    switch (token.text) {
      case 'end':
        this.#tokens.expectRight('end')
        return 'end'
      case 'else':
        // `{{else if …}}` and `{{else with …}}` are read by the branch that they belong to.
        if (this.#tokens.peekNonSpace().text !== 'if' && this.#tokens.peekNonSpace().text !== 'with')
          this.#tokens.expectRight('else')
        return 'else'
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(token.text, token)
      case 'template':
        return this.#templateCall()
      case 'block':
        return this.#block(token)
      case 'break':
      case 'continue':
        return this.#loopJump(token.text, token)
      default:
        return this.#tokens.unexpected(token, 'command')
    }
  }

  #branch(kind: BranchNode['kind'], opening: Token): BranchNode {
    const outerVariables = this.#variables.length
    const pipe = this.#pipeline(kind, 'right')
    if (kind === 'range') this.#rangeDepth++
    const { list, ending } = this.#itemList(opening)
    if (kind === 'range') this.#rangeDepth--
    const elseList = ending === 'else' ? this.#elseList(kind, opening) : undefined
    this.#variables.length = outerVariables
    return { kind, pos: pipe.pos, pipe, list, elseList }
  }

  #elseList(kind: BranchNode['kind'], opening: Token): ListNode {
    const next = this.#tokens.peekNonSpace()
    const chained = next.type === 'keyword' && (next.text === 'if' || next.text === 'with') ? next.text : undefined
    if (chained !== undefined) {
      if (chained !== kind) this.#tokens.unexpected(next, 'else')
      this.#tokens.nextNonSpace()
      if (++this.#nesting > NESTING_MAX) this.#tokens.fail('blocks are nested too deeply', opening)
      const inner = this.#branch(chained, next) // Its {{end}} is also ours.
      this.#nesting--
      return { nodes: [inner] }
    }
    const { list, ending } = this.#itemList(opening)
    if (ending !== 'end') this.#tokens.fail('expected end; found {{else}}', this.#tokens.last)
    return list
  }

  #templateCall(): Node {
    const context = 'template clause'
    const nameToken = this.#tokens.nextNonSpace()
    const name = this.#templateName(nameToken, context)
    let pipe: PipeNode | undefined
    if (this.#tokens.nextNonSpace().type !== 'right') {
      this.#tokens.back()
      pipe = this.#pipeline(context, 'right')
    }
    return { kind: 'template', pos: nameToken.pos, name, pipe }
  }

  #block(token: Token): Node {
    const context = 'block clause'
    const nameToken = this.#tokens.nextNonSpace()
    const name = this.#templateName(nameToken, context)
    const pipe = this.#pipeline(context, 'right')
    this.#define({ name, source: this.#source, root: this.#body(context, token) }, nameToken)
    return { kind: 'template', pos: nameToken.pos, name, pipe }
  }

  #templateName(token: Token, context: string): string {
    return token.type === 'string' ? this.#tokens.unquote(token) : this.#tokens.unexpected(token, context)
  }

  #loopJump(kind: 'break' | 'continue', token: Token): Node {
    const next = this.#tokens.nextNonSpace()
    if (next.type !== 'right') this.#tokens.unexpected(next, `{{${kind}}}`)
    if (this.#rangeDepth === 0) this.#tokens.fail(`{{${kind}}} outside {{range}}`, token)
    return { kind, pos: token.pos }
  }

  // ---- pipelines -------------------------------------------------------------------------------------------------------

  #pipeline(context: string, end: TokenType): PipeNode {
    if (++this.#nesting > NESTING_MAX)
      this.#tokens.fail('parentheses are nested too deeply', this.#tokens.peekNonSpace())
    const pos = this.#tokens.peekNonSpace().pos
    const { variables, assigns } = this.#declarations(context)
    const commands: CommandNode[] = []
    for (;;) {
      const token = this.#tokens.nextNonSpace()
      if (token.type === end) {
        this.#checkPipeline(commands, context, token)
        this.#nesting--
        return { kind: 'pipe', pos, variables, assigns, ofRange: context === 'range', commands }
      }
      if (!OPERAND_STARTS.has(token.type)) this.#tokens.unexpected(token, context)
      this.#tokens.back()
      commands.push(this.#command())
    }
  }

  #declarations(context: string): { variables: string[]; assigns: boolean } {
    const variables: string[] = []
    const start = this.#tokens.at
    for (;;) {
      const variable = this.#tokens.peekNonSpace()
      if (variable.type !== 'variable') break
      this.#tokens.nextNonSpace()
      const next = this.#tokens.nextNonSpace()
      if (next.type === 'declare' || next.type === 'assign') {
        variables.push(variable.text)
        if (next.type === 'declare') this.#variables.push(...variables)
        else for (const name of variables) this.#checkVariable(name, variable)
        return { variables, assigns: next.type === 'assign' }
      }
      if (next.type !== 'comma') break
      if (context !== 'range' || variables.length > 0) this.#tokens.fail(`too many declarations in ${context}`, next)
      variables.push(variable.text)
      if (this.#tokens.peekNonSpace().type !== 'variable')
        this.#tokens.fail('range can only initialize variables', this.#tokens.peekNonSpace())
    }
    this.#tokens.at = start
    return { variables: [], assigns: false }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string, at: Token): void {
    if (commands.length === 0) this.#tokens.fail(`missing value for ${context}`, at)
    for (const [i, command] of commands.entries()) {
      const kind = command.args[0]!.kind
      if (i > 0 && ['bool', 'dot', 'nil', 'number', 'string'].includes(kind))
        this.#tokens.fail(`non executable command in pipeline stage ${i + 1}`, at)
    }
  }

  #command(): CommandNode {
    const pos = this.#tokens.peekNonSpace().pos
    const args: OperandNode[] = []
    for (;;) {
      this.#tokens.skipSpace()
      const operand = this.#operand()
      if (operand) args.push(operand)
      const token = this.#tokens.next()
      if (token.type === 'space') continue
      if (token.type === 'right' || token.type === 'rparen') this.#tokens.back()
      else if (token.type !== 'pipe') this.#tokens.unexpected(token, 'operand')
      else if (!OPERAND_STARTS.has(this.#tokens.peekNonSpace().type))
        this.#tokens.fail('missing value for command', this.#tokens.peekNonSpace())
      if (args.length === 0) this.#tokens.fail('empty command', token)
      return { kind: 'command', pos, args }
    }
  }

  #operand(): OperandNode | undefined {
    const base = this.#term()
    if (!base || this.#tokens.ahead.type !== 'field') return base
    const pos = this.#tokens.ahead.pos
    const names: string[] = []
    while (this.#tokens.ahead.type === 'field') names.push(this.#tokens.next().text.slice(1))
    if (base.kind === 'field' || base.kind === 'variable') return { ...base, pos, names: [...base.names, ...names] }
    if (['bool', 'string', 'number', 'nil', 'dot'].includes(base.kind))
      this.#tokens.fail(
        `unexpected . after term ${quoteGo(this.#source.text.slice(base.pos, pos))}`,
        this.#tokens.ahead,
      )
    return { kind: 'chain', pos, base, names }
  }

  #term(): OperandNode | undefined {
    const token = this.#tokens.next()
    const { pos, text } = token
    switch (token.type) {
      case 'identifier':
        if (!this.#isFunction(text)) this.#tokens.fail(`function ${quoteGo(text)} not defined`, token)
        return { kind: 'identifier', pos, name: text }
      case 'dot':
      case 'nil':
        return { kind: token.type, pos }
      case 'variable':
        this.#checkVariable(text, token)
        return { kind: 'variable', pos, name: text, names: [] }
      case 'field':
        return { kind: 'field', pos, names: [text.slice(1)] }
      case 'bool':
        return { kind: 'bool', pos, value: text === 'true' }
      case 'char':
      case 'number':
        return { kind: 'number', pos, text, value: this.#tokens.numberOf(token) }
      case 'lparen':
        return this.#pipeline('parenthesized pipeline', 'rparen')
      case 'string':
        return { kind: 'string', pos, quoted: text, value: this.#tokens.unquote(token) }
      default:
        this.#tokens.back()
        return undefined
    }
  }

  #checkVariable(name: string, token: Token): void {
    if (!this.#variables.includes(name)) this.#tokens.fail(`undefined variable ${quoteGo(name)}`, token)
  }
}

const OPERAND_STARTS = new Set<TokenType>([
  'bool',
  'char',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'string',
  'variable',
  'lparen',
])
