import { errorMessage } from '../../lib/errors.ts'
import { parseDuration } from '../../model/duration.ts'
import { parseNumber } from '../lex/number.ts'
import type { DurationExpr, NumberLiteral } from './ast.ts'
import type { TokenStream } from './token-stream.ts'

const OFFSET_CONTEXT = ' in offset, expected number, duration, step(), or range()'
// Go holds durations as int64 nanoseconds.
const DURATION_MAX_S = 2 ** 63 / 1e9
const POWER: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 }

export type DurationLiteral = Extract<DurationExpr, { kind: 'number' }>

/** A number or a duration, the next token; both are numbers (of seconds). */
export function takeNumber(tokens: TokenStream): NumberLiteral {
  const kind = tokens.take()
  const { start, end, taken } = tokens
  if (kind === 'duration') {
    try {
      return { kind: 'number', value: parseDuration(taken) / 1000, isDuration: true, span: { start, end } }
    } catch (cause) {
      return tokens.fail(start, errorMessage(cause), { cause })
    }
  }
  const value = parseNumber(taken)
  if (typeof value === 'string') tokens.fail(start, `error parsing number: ${value}`)
  return { kind: 'number', value, isDuration: false, span: { start, end } }
}

/** Seconds to whole milliseconds, by way of nanoseconds as Go does it. */
export const literalMs = (seconds: number): number => Math.trunc(Math.round(seconds * 1e9) / 1e6)

/** Reads the durations in ranges and offsets: numbers, or arithmetic over them, `step()` and `range()`. */
export class DurationParser {
  readonly #tokens: TokenStream
  readonly #expressionsEnabled: boolean

  constructor(tokens: TokenStream, expressionsEnabled: boolean) {
    this.#tokens = tokens
    this.#expressionsEnabled = expressionsEnabled
  }

  /** What stands in `[…]`; a plain number must be positive. The caller has set the context for errors. */
  parsePositive(): DurationExpr {
    const duration = this.#parse(0)
    if (duration.kind === 'number' && !(duration.value > 0)) {
      this.#tokens.fail(duration.span.start, 'duration must be greater than 0')
    }
    return duration
  }

  /**
   * What follows `offset`. Arithmetic goes on behind a parenthesis only: `offset 2 ^ 2` is `(… offset 2) ^ 2`, while
   * `offset (2) ^ 2` is `offset ((2) ^ 2)`.
   */
  parseOffset(): DurationExpr {
    const outer = this.#tokens.context
    this.#tokens.context = OFFSET_CONTEXT
    const duration = this.#offset()
    this.#tokens.context = outer
    return duration
  }

  #offset(): DurationExpr {
    const tokens = this.#tokens
    const first = tokens.peek()
    if (first === '(') return this.#parse(0)
    if (first !== '+' && first !== '-') return this.#primary()
    tokens.take()
    const { start } = tokens
    const second = tokens.peek()
    const operand = second === '+' || second === '-' ? this.#parse(POWER['^']!) : this.#primary()
    const signed = this.#applySign(first, start, operand)
    return second === '+' || second === '-' ? this.#continue(signed, 0) : signed
  }

  #parse(powerMin: number): DurationExpr {
    const tokens = this.#tokens
    const kind = tokens.peek()
    if (kind !== '+' && kind !== '-') return this.#continue(this.#primary(), powerMin)
    tokens.take()
    const { start } = tokens
    return this.#continue(this.#applySign(kind, start, this.#parse(POWER['^']!)), powerMin)
  }

  #continue(first: DurationExpr, powerMin: number): DurationExpr {
    const tokens = this.#tokens
    let left = first
    for (;;) {
      const op = tokens.peek()
      const power = POWER[op]
      if (power === undefined || power < powerMin) return left
      tokens.take()
      const { start } = tokens
      const right = this.#parse(op === '^' ? power : power + 1)
      this.#requireEnabled(left)
      if (right.kind === 'number' && right.value === 0) {
        if (op === '/') tokens.fail(start, 'division by zero')
        if (op === '%') tokens.fail(start, 'modulo by zero')
      }
      const span = { start: left.span.start, end: right.span.end }
      left = { kind: 'binary', op: op as '+', left, right, span }
    }
  }

  #primary(): DurationExpr {
    const tokens = this.#tokens
    switch (tokens.peek()) {
      case 'number':
      case 'duration':
        return this.#inRange(takeNumber(tokens))
      case 'step':
      case 'range': {
        const kind = tokens.take() as 'step' | 'range'
        const { start } = tokens
        tokens.expect('(')
        tokens.expect(')')
        return this.#requireEnabled({ kind, span: { start, end: tokens.end } })
      }
      case 'min_of':
      case 'max_of': {
        const kind = tokens.take() === 'min_of' ? 'min' : 'max'
        const { start } = tokens
        tokens.expect('(')
        const left = this.#parse(0)
        tokens.expect(',')
        const right = this.#parse(0)
        tokens.expect(')')
        return this.#requireEnabled({ kind, left, right, span: { start, end: tokens.end } })
      }
      case '(': {
        tokens.take()
        const { start } = tokens
        const inner = this.#parse(0)
        tokens.expect(')')
        this.#requireEnabled(inner)
        return inner.kind === 'paren' ? inner : { kind: 'paren', inner, span: { start, end: tokens.end } }
      }
      default:
        return tokens.unexpected()
    }
  }

  #applySign(sign: '+' | '-', start: number, operand: DurationExpr): DurationExpr {
    const span = { start, end: operand.span.end }
    if (operand.kind === 'number') return { ...operand, value: sign === '-' ? -operand.value : operand.value, span }
    return sign === '-' ? { kind: 'negate', inner: operand, span } : operand
  }

  #inRange(literal: DurationLiteral): DurationLiteral {
    // NaN has no place on the time line either.
    if (!(literal.value <= DURATION_MAX_S)) this.#tokens.fail(literal.span.start, 'duration out of range')
    return literal
  }

  #requireEnabled(duration: DurationExpr): DurationExpr {
    if (!this.#expressionsEnabled) {
      this.#tokens.fail(duration.span.start, 'experimental duration expression is not enabled')
    }
    return duration
  }
}
