import { isUtf8 } from 'node:buffer'
import type { MetricType } from '../metadata.ts'
import { type CommentLine, parseCommentLine } from './comment-line.ts'
import { ExpositionError, type ExpositionFormat, type ExpositionSample } from './format.ts'
import { LineError, parseSampleLine } from './sample-line.ts'

/** Gets what a page says, in page order. */
export interface ExpositionHandler {
  metadata?(line: Exclude<CommentLine, { kind: 'eof' | 'comment' }>): void
  sample?(sample: ExpositionSample, lineNumber: number): void
}

const NEWLINE = 10

/**
 * Reads a whole page. This is the definition of what is accepted; the scraper's fast path must agree with it.
 *
 * Text: blank lines, remarks, HELP and TYPE anywhere, a last line without newline. OpenMetrics: no blank lines, no remarks,
 * `# EOF` last; rules about the order and the values of families are not checked, as Prometheus does not either.
 *
 * @throws {ExpositionError}; the handler has then seen the lines before the faulty one
 */
export function parseExposition(body: Uint8Array, format: ExpositionFormat, handler: ExpositionHandler): void {
  new ExpositionReader(body, format, handler).read(Number.POSITIVE_INFINITY)
}

/** As `parseExposition`, some lines at a time. */
export class ExpositionReader {
  readonly #bytes: Buffer
  readonly #format: ExpositionFormat
  readonly #handler: ExpositionHandler
  readonly #allUtf8: boolean
  #type: MetricType = 'unknown'
  #lineNumber = 0
  #sawEof = false
  #start = 0

  /** @param body does not change meanwhile */
  constructor(body: Uint8Array, format: ExpositionFormat, handler: ExpositionHandler) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    this.#format = format
    this.#handler = handler
    this.#allUtf8 = isUtf8(this.#bytes)
  }

  /** Reads on. @returns whether lines are left @throws {ExpositionError} */
  read(lineCount: number): boolean {
    const bytes = this.#bytes
    for (let left = lineCount; this.#start < bytes.length; left--) {
      if (left <= 0) return true
      this.#lineNumber++
      const newline = bytes.indexOf(NEWLINE, this.#start)
      const end = newline < 0 ? bytes.length : newline
      try {
        this.#line(this.#start, end)
      } catch (error) {
        if (error instanceof LineError) throw new ExpositionError(this.#lineNumber, error.message, { cause: error })
        throw error
      }
      this.#start = end + 1
    }
    if (this.#format === 'openmetrics' && !this.#sawEof) {
      throw new ExpositionError(this.#lineNumber + 1, 'data does not end with # EOF')
    }
    return false
  }

  #line(start: number, end: number): void {
    const bytes = this.#bytes
    if (this.#sawEof) throw new LineError('unexpected data after # EOF')
    if (!this.#allUtf8 && !isUtf8(bytes.subarray(start, end))) throw new LineError('invalid UTF-8')
    const line = bytes.toString('utf8', start, end)
    const shape = lineShape(line, this.#format)
    if (shape === 'sample') {
      const sample = parseSampleLine(line, this.#format, this.#type)
      this.#handler.sample?.(sample, this.#lineNumber)
    } else if (shape === 'comment') {
      const comment = parseCommentLine(line, this.#format)
      if (comment.kind === 'eof') this.#sawEof = true
      else if (comment.kind !== 'comment') {
        if (comment.kind === 'type') this.#type = comment.type
        this.#handler.metadata?.(comment)
      }
    }
  }
}

function lineShape(line: string, format: ExpositionFormat): 'blank' | 'comment' | 'sample' {
  let at = 0
  if (format === 'text') while (line.charCodeAt(at) === 32 || line.charCodeAt(at) === 9) at++
  if (line.charCodeAt(at) === 35) return 'comment'
  return at === line.length && format === 'text' ? 'blank' : 'sample'
}
