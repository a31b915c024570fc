import { AppError } from '../../lib/errors.ts'

/** An expression that Prometheus would refuse, with its message: `1:6: parse error: unexpected …`. */
export class ParseError extends AppError {
  override readonly code = 'ERR_PROMQL_PARSE'
  override readonly httpStatus = 400
  /** From 1. */
  readonly line: number
  /** From 1, counted in UTF-8 bytes, as Prometheus does. */
  readonly column: number

  /** @param offset into `text` in UTF-16 units */
  constructor(text: string, offset: number, why: string, options?: ErrorOptions) {
    const { line, column } = positionOf(text, offset)
    // Prometheus has no line and column to name in an empty text.
    super(`${text === '' ? 'unknown position' : `${line}:${column}`}: parse error: ${why}`, options)
    this.line = line
    this.column = column
  }
}

/** Line and column (both from 1, the column in UTF-8 bytes) of a UTF-16 offset. Annotations use it too. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let i = before.indexOf('\n'); i >= 0; i = before.indexOf('\n', i + 1)) line++
  return { line, column: Buffer.byteLength(before.slice(lineStart)) + 1 }
}
