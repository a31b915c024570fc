// Where in an expression a refusal points to.

export interface QueryFault {
  /** Offsets in the expression, `from` < `to` but for an empty rest. */
  readonly from: number
  readonly to: number
  readonly line: number
  readonly column: number
  readonly why: string
}

/** @param message as the API words it, with `line:column: parse error: why` in it; `undefined` where it names no place */
export function faultOf(text: string, message: string): QueryFault | undefined {
  const found = /(\d+):(\d+): parse error: ([\s\S]*)/.exec(message)
  if (found === null) return undefined
  const line = Number(found[1])
  const column = Number(found[2])
  const lines = text.split('\n')
  if (line < 1 || line > lines.length || column < 1) return undefined
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
  const end = start + lines[line - 1]!.length
  // An end that comes too early is marked at the last character there is.
  const from = Math.max(start, Math.min(start + column - 1, end - 1))
  const length = /^[\w:.]+/.exec(text.slice(from, end))?.[0].length ?? 1
  return { from, to: Math.min(end, from + length), line, column, why: found[3]! }
}
