// Puts matchers into every selector of an expression, wherever it stands. A chunk of its own: few boards need a parser.
import { LabelMatchers, parser, VectorSelector } from '@prometheus-io/lezer-promql'

/** The expression unchanged but for the matchers; one that cannot be read stays as it is, for the server to refuse. */
export function addMatchers(expr: string, matchers: readonly string[]): string {
  if (matchers.length === 0) return expr
  const added = matchers.join(',')
  const places: { at: number; text: string }[] = []
  const tree = parser.parse(expr)
  let isBroken = false
  tree.iterate({
    enter({ node, type }) {
      if (type.isError) isBroken = true
      if (type.id !== VectorSelector) return
      const braces = node.getChild(LabelMatchers)
      if (braces === null) return void places.push({ at: node.to, text: `{${added}}` })
      // In front of what is there: behind it may be a comment, which would swallow them.
      const isEmpty = expr.slice(braces.from + 1, braces.to - 1).trim() === ''
      places.push({ at: braces.from + 1, text: isEmpty ? added : `${added},` })
    },
  })
  if (isBroken) return expr
  let out = ''
  let from = 0
  for (const { at, text } of places) {
    out += expr.slice(from, at) + text
    from = at
  }
  return out + expr.slice(from)
}
