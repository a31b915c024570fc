import { functionSignatures } from '../check/function-signatures.ts'
import { quoteGo } from '../../model/go-quote.ts'
import { isAggregationKind, isFunctionWord, isNameWord, startsOperand, type TokenKind } from '../lex/token.ts'
import { unquote } from '../lex/unquote.ts'
import type { Aggregation, AggregationOp, BinaryOp, Call, Expr, StringLiteral, VectorSelector } from './ast.ts'
import { parseGroupingClause, parseMatching } from './clauses.ts'
import { DurationParser, literalMs, takeNumber } from './duration.ts'
import { DEPTH_MAX, NESTING_MAX } from './depth.ts'
import type { ParserFeatures } from './features.ts'
import { ModifierRules } from './modifiers.ts'
import { parseNamedSelector, parseNamelessSelector } from './selector.ts'
import { TokenStream } from './token-stream.ts'

const POWER_MUL = 5
const POWER: Readonly<Partial<Record<TokenKind, number>>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': POWER_MUL,
  '/': POWER_MUL,
  '%': POWER_MUL,
  atan2: POWER_MUL,
  '^': 6,
}
const PARAMETRIC: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
])

/** Pratt parser: operands with their suffixes, operators by binding power. Throws at the first fault. */
export class Parser {
  readonly #tokens: TokenStream
  readonly #features: ParserFeatures
  readonly #durations: DurationParser
  readonly #modifiers: ModifierRules
  #depth = 0

  constructor(text: string, features: ParserFeatures) {
    this.#tokens = new TokenStream(text)
    this.#features = features
    this.#durations = new DurationParser(this.#tokens, features.durationExpressions)
    this.#modifiers = new ModifierRules(this.#tokens, features)
  }

  /** The whole text is one expression; its types are not checked yet. */
  parseExpression(): Expr {
    if (this.#tokens.peek() === 'eof') this.#tokens.fail(0, 'no expression found in input')
    const expr = this.#expression(0)
    if (this.#tokens.peek() !== 'eof') this.#tokens.unexpected('')
    return expr
  }

  /** The whole text is one vector selector without modifiers. */
  parseSelector(): VectorSelector {
    const kind = this.#tokens.peek()
    if (kind !== '{' && !isNameWord(kind) && !isAggregationKind(kind)) this.#tokens.unexpected('')
    const selector = kind === '{' ? parseNamelessSelector(this.#tokens) : this.#namedSelector()
    if (this.#tokens.peek() !== 'eof') this.#tokens.unexpected('')
    return selector
  }

  #expression(powerMin: number): Expr {
    if (++this.#depth > NESTING_MAX)
      this.#tokens.fail(this.#tokens.end, `expression is nested deeper than ${NESTING_MAX} levels`)
    let left = this.#operand()
    for (let operators = 0; ; operators++) {
      const op = this.#tokens.peek()
      const power = POWER[op]
      if (power === undefined || power < powerMin) break
      // Each one makes the tree a level deeper. The type checker looks at its depth as a whole; this spares it giants.
      if (operators > DEPTH_MAX) this.#tokens.fail(left.span.start, `expression is deeper than ${DEPTH_MAX} levels`)
      this.#tokens.take()
      const returnBool = this.#tokens.takeIf('bool')
      const matching = parseMatching(this.#tokens)
      const right = this.#expression(op === '^' ? power : power + 1)
      const span = { start: left.span.start, end: right.span.end }
      const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined
      if (fills && !this.#features.fillModifiers) {
        this.#tokens.fail(span.start, 'binop fill modifiers are experimental and not enabled')
      }
      left = { kind: 'binary', op: op as BinaryOp, left, right, matching, returnBool, span }
    }
    this.#depth--
    return left
  }

  #operand(): Expr {
    const tokens = this.#tokens
    const sign = tokens.peek()
    if (sign !== '+' && sign !== '-') return this.#suffixes(this.#primary())
    tokens.take()
    const { start } = tokens
    // Binds like `*`: of what follows only `^` goes first.
    const expr = this.#expression(POWER_MUL + 1)
    const span = { start, end: expr.span.end }
    if (expr.kind === 'number') return { ...expr, value: sign === '-' ? -expr.value : expr.value, span }
    return { kind: 'unary', op: sign, expr, span }
  }

  #primary(): Expr {
    const tokens = this.#tokens
    const kind = tokens.peek()
    switch (kind) {
      case 'number':
      case 'duration':
        return takeNumber(tokens)
      case 'string':
        return this.#string()
      case '{':
        return parseNamelessSelector(tokens)
      case '(': {
        tokens.take()
        const { start } = tokens
        const expr = this.#expression(0)
        tokens.expect(')')
        return { kind: 'paren', expr, span: { start, end: tokens.end } }
      }
    }
    const aggregation = isAggregationKind(kind)
    if (!aggregation && !isNameWord(kind)) tokens.unexpected()
    tokens.take()
    const { start, end } = tokens
    const next = tokens.peek()
    if (aggregation && (next === '(' || next === 'by' || next === 'without')) {
      return this.#aggregation(kind as AggregationOp, start)
    }
    if (next === '(' && isFunctionWord(kind)) return this.#call(start)
    return parseNamedSelector(tokens, start, end)
  }

  /** Everything that binds to the operand before it: ranges, offsets, `@`, `anchored`, `smoothed`. */
  #suffixes(operand: Expr): Expr {
    const tokens = this.#tokens
    let expr = operand
    for (;;) {
      switch (tokens.peek()) {
        case '[':
          expr = this.#range(expr)
          break
        case 'offset':
          tokens.take()
          expr = this.#modifiers.offset(expr, this.#durations.parseOffset())
          break
        case '@':
          tokens.take()
          expr = this.#modifiers.at(expr)
          break
        case 'anchored':
        case 'smoothed':
          expr = this.#modifiers.extend(expr, tokens.take() as 'anchored' | 'smoothed')
          break
        default:
          return expr
      }
    }
  }

  #range(expr: Expr): Expr {
    const tokens = this.#tokens
    tokens.take()
    const { start } = tokens
    const outer = tokens.context
    tokens.context = ' in subquery or range selector, expected number, duration, step(), or range()'
    const range = this.#durations.parsePositive()
    tokens.context = ' in subquery or range, expected ":" or "]"'
    const rangeMs = range.kind === 'number' ? literalMs(range.value) : 0
    const rangeExpr = range.kind === 'number' ? undefined : range
    if (tokens.peek() !== ':') {
      tokens.expect(']')
      tokens.context = outer
      const selector = this.#modifiers.rangeable(expr, start)
      return { kind: 'matrixSelector', selector, rangeMs, rangeExpr, span: { start: expr.span.start, end: tokens.end } }
    }
    tokens.take()
    tokens.context = ' in subquery selector, expected number, duration, step(), range(), or "]"'
    const step = tokens.peek() === ']' ? undefined : this.#durations.parsePositive()
    tokens.context = ' in subquery selector, expected "]"'
    tokens.expect(']')
    tokens.context = outer
    return {
      kind: 'subquery',
      expr,
      rangeMs,
      rangeExpr,
      stepMs: step?.kind === 'number' ? literalMs(step.value) : 0,
      stepExpr: step?.kind === 'number' ? undefined : step,
      offsetMs: 0,
      offsetExpr: undefined,
      at: undefined,
      span: { start: expr.span.start, end: tokens.end },
    }
  }

  #aggregation(op: AggregationOp, start: number): Aggregation {
    const tokens = this.#tokens
    const outer = tokens.context
    tokens.context = ' in aggregation'
    let clause = parseGroupingClause(tokens)
    const args = this.#arguments()
    clause ??= parseGroupingClause(tokens)
    tokens.context = outer
    const span = { start, end: tokens.end }
    if (args.length === 0) tokens.fail(start, 'no arguments for aggregate expression provided')
    if ((op === 'limitk' || op === 'limit_ratio') && !this.#features.experimentalFunctions) {
      tokens.fail(
        start,
        `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
      )
    }
    const wanted = PARAMETRIC.has(op) ? 2 : 1
    if (args.length !== wanted) {
      tokens.fail(
        start,
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
      )
    }
    const param = wanted === 2 ? args[0] : undefined
    const { labels, without } = clause ?? { labels: [], without: false }
    return { kind: 'aggregation', op, expr: args[wanted - 1]!, param, grouping: labels, without, span }
  }

  #call(start: number): Call {
    const tokens: TokenStream = this.#tokens
    const name = tokens.taken
    const args = this.#arguments()
    const signature = functionSignatures.get(name)
    if (signature === undefined) tokens.fail(start, `unknown function with name ${quoteGo(name)}`)
    if (signature.experimental && !this.#features.experimentalFunctions) {
      tokens.fail(start, `function ${quoteGo(name)} is not enabled`)
    }
    return { kind: 'call', name, args, span: { start, end: tokens.end } }
  }

  #arguments(): Expr[] {
    const tokens = this.#tokens
    const args: Expr[] = []
    tokens.expect('(')
    if (tokens.takeIf(')')) return args
    for (;;) {
      args.push(this.#expression(0))
      if (tokens.takeIf(')')) return args
      tokens.expect(',')
      const { start } = tokens
      if (!startsOperand(tokens.peek())) tokens.fail(start, 'trailing commas not allowed in function call args')
    }
  }

  #namedSelector(): VectorSelector {
    this.#tokens.take()
    return parseNamedSelector(this.#tokens, this.#tokens.start, this.#tokens.end)
  }

  #string(): StringLiteral {
    this.#tokens.take()
    const { start, end, taken } = this.#tokens
    return { kind: 'string', value: unquote(taken), span: { start, end } }
  }
}
