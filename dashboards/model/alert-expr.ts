// Takes the limit out of an alerting rule's expression, so that the value is shown before it crosses it, too.

export interface LimitedExpr {
  readonly expr: string
  readonly operator: string
  readonly limit: number
}

const COMPARISON = /^(?:==|!=|>=|<=|>|<)/
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)$/i
const SET_OPERATOR = /^(?:and|or|unless)\b/i
const OPENING = '({['
const CLOSING = ')}]'

/** `a / b > 0.1` → `a / b` and 0.1; `undefined` where the expression is not one value held against a number. */
export function splitLimit(expr: string): LimitedExpr | undefined {
  const text = expr.replace(/#.*$/gm, '').trim()
  let found: { at: number; operator: string } | undefined
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === '"' || char === "'" || char === '`') i = endOfString(text, i)
    else if (OPENING.includes(char)) depth++
    else if (CLOSING.includes(char)) depth--
    else if (depth === 0) {
      const rest = text.slice(i)
      const isWordStart = i === 0 || !/[\w:]/.test(text[i - 1]!)
      if (isWordStart && SET_OPERATOR.test(rest)) return undefined
      const operator = COMPARISON.exec(rest)?.[0]
      if (operator === undefined) continue
      // A chain of comparisons is not one limit.
      if (found !== undefined) return undefined
      found = { at: i, operator }
      i += operator.length - 1
    }
  }
  if (found === undefined) return undefined
  const limit = text.slice(found.at + found.operator.length).trim()
  const left = text.slice(0, found.at).trim()
  return NUMBER.test(limit) && left !== '' ? { expr: left, operator: found.operator, limit: Number(limit) } : undefined
}

function endOfString(text: string, start: number): number {
  const quote = text[start]!
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\' && quote !== '`') i++
    else if (text[i] === quote) return i
  }
  return text.length
}
