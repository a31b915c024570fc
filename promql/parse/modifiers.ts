import type { AtModifier, DurationExpr, Expr, MatrixSelector, Subquery, VectorSelector } from './ast.ts'
import { literalMs, takeNumber } from './duration.ts'
import type { ParserFeatures } from './features.ts'
import type { TokenStream } from './token-stream.ts'

const AT_CONTEXT = ' in @, expected timestamp'
const TIMESTAMP_LIMIT = 2 ** 63

type Changes = Partial<Pick<Subquery, 'offsetMs' | 'offsetExpr' | 'at'>>

/** What may be said about a selector or subquery, how often, and the faults for everything else. */
export class ModifierRules {
  readonly #tokens: TokenStream
  readonly #features: ParserFeatures

  constructor(tokens: TokenStream, features: ParserFeatures) {
    this.#tokens = tokens
    this.#features = features
  }

  offset(expr: Expr, duration: DurationExpr): Expr {
    const target = this.#target(expr, 'offset')
    if (target.offsetMs !== 0 || target.offsetExpr !== undefined)
      this.#fail(expr, 'offset may not be set multiple times')
    return this.#change(
      expr,
      duration.kind === 'number' ? { offsetMs: literalMs(duration.value) } : { offsetExpr: duration },
    )
  }

  /** Reads what follows `@`. */
  at(expr: Expr): Expr {
    const modifier = this.#atModifier(expr)
    const target = this.#target(expr, '@')
    if (target.at !== undefined) this.#fail(expr, '@ <timestamp> may not be set multiple times')
    return this.#change(expr, { at: modifier })
  }

  extend(expr: Expr, word: 'anchored' | 'smoothed'): Expr {
    if (!this.#features.extendedRangeSelectors) this.#fail(expr, `${word} modifier is experimental and not enabled`)
    if (expr.kind === 'subquery') this.#fail(expr, `${word} modifier is not supported for subqueries`)
    if (expr.kind !== 'vectorSelector' && expr.kind !== 'matrixSelector') {
      return this.#fail(expr, `${word} modifier not implemented`)
    }
    const selector = expr.kind === 'vectorSelector' ? expr : expr.selector
    if (word === 'anchored' ? selector.smoothed : selector.anchored) {
      this.#fail(expr, 'anchored and smoothed modifiers cannot be used together')
    }
    const extended = { ...selector, [word]: true }
    return expr.kind === 'vectorSelector' ? extended : { ...expr, selector: extended }
  }

  /** @returns `expr` if a range may follow it; `bracket` is where the range starts */
  rangeable(expr: Expr, bracket: number): VectorSelector {
    if (expr.kind !== 'vectorSelector') return this.#tokens.fail(bracket, 'ranges only allowed for vector selectors')
    if (expr.offsetMs !== 0 || expr.offsetExpr !== undefined) {
      this.#tokens.fail(bracket, 'no offset modifiers allowed before range')
    }
    if (expr.at !== undefined) this.#tokens.fail(bracket, 'no @ modifiers allowed before range')
    return expr
  }

  #atModifier(expr: Expr): AtModifier {
    const tokens = this.#tokens
    const first = tokens.peek()
    if (first === 'start' || first === 'end') {
      tokens.take()
      if (!tokens.takeIf('(') || !tokens.takeIf(')')) tokens.unexpected(AT_CONTEXT)
      return { kind: first }
    }
    if (first === '+' || first === '-') tokens.take()
    const kind = tokens.peek()
    if (kind !== 'number' && kind !== 'duration') tokens.unexpected(AT_CONTEXT)
    const { value } = takeNumber(tokens)
    const seconds = first === '-' ? -value : value
    if (!(Math.abs(seconds) < TIMESTAMP_LIMIT)) {
      this.#fail(expr, `timestamp out of bounds for @ modifier: ${formatFixed(seconds)}`)
    }
    return { kind: 'time', timestampMs: Math.sign(seconds) * Math.round(Math.abs(seconds) * 1000) }
  }

  #target(expr: Expr, modifier: string): VectorSelector | Subquery {
    if (expr.kind === 'vectorSelector' || expr.kind === 'subquery') return expr
    if (expr.kind === 'matrixSelector') return expr.selector
    const allowed = 'an instant vector selector or range vector selector or a subquery'
    return this.#fail(expr, `${modifier} modifier must be preceded by ${allowed}`)
  }

  #change(expr: Expr, changes: Changes): Expr {
    const span = { start: expr.span.start, end: this.#tokens.end }
    if (expr.kind !== 'matrixSelector') return { ...(expr as VectorSelector | Subquery), ...changes, span }
    return { ...expr, selector: { ...expr.selector, ...changes }, span } satisfies MatrixSelector
  }

  #fail(expr: Expr, why: string): never {
    return this.#tokens.fail(expr.span.start, why)
  }
}

/** Go's `%f`. */
function formatFixed(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return `${BigInt(value)}.000000`
}
