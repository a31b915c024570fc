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
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const allUtf8 = isUtf8(bytes)
  let type: MetricType = 'unknown'
  let lineNumber = 0
  let sawEof = false
  for (let start = 0; start < bytes.length; ) {
    lineNumber++
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    try {
      if (sawEof) throw new LineError('unexpected data after # EOF')
      if (!allUtf8 && !isUtf8(bytes.subarray(start, end))) throw new LineError('invalid UTF-8')
      const line = bytes.toString('utf8', start, end)
      const shape = lineShape(line, format)
      if (shape === 'sample') {
        const sample = parseSampleLine(line, format, type)
        handler.sample?.(sample, lineNumber)
      } else if (shape === 'comment') {
        const comment = parseCommentLine(line, format)
        if (comment.kind === 'eof') sawEof = true
        else if (comment.kind !== 'comment') {
          if (comment.kind === 'type') type = comment.type
          handler.metadata?.(comment)
        }
      }
    } catch (error) {
      if (error instanceof LineError) throw new ExpositionError(lineNumber, error.message, { cause: error })
      throw error
    }
    start = end + 1
  }
  if (format === 'openmetrics' && !sawEof) throw new ExpositionError(lineNumber + 1, 'data does not end with # EOF')
}

function lineShape(line: string, format: ExpositionFormat): 'blank' | 'comment' | 'sample' {
  let at = 0
  if (format === 'text') while (line.charCodeAt(at) === 32 || line.charCodeAt(at) === 9) at++
  if (line.charCodeAt(at) === 35) return 'comment'
  return at === line.length && format === 'text' ? 'blank' : 'sample'
}
