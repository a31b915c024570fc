import { parseGoFloat } from '../../model/index.ts'
import { unquote } from '../lex/unquote.ts'
import { parseSeriesLine, parseStartTimesLine, parseTimeMs, type ScriptSeries } from './script-values.ts'

/** What an `expect` line asks of errors and annotations. */
export interface Expectation {
  readonly kind: 'fail' | 'warn' | 'no_warn' | 'info' | 'no_info' | 'ordered'
  readonly match: 'any' | 'text' | 'regex'
  readonly text: string
}

export interface EvalCommand {
  readonly kind: 'eval'
  /** 1-based. */
  readonly line: number
  readonly expr: string
  /** An instant when `range` is undefined. */
  readonly timeMs: number
  readonly range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number } | undefined
  readonly expectations: readonly Expectation[]
  readonly series: readonly ScriptSeries[]
  readonly scalar: number | undefined
  readonly string: string | undefined
  /** The answer is a range vector with these sample times. */
  readonly rangeVector: { readonly startMs: number; readonly endMs: number; readonly stepMs: number } | undefined
}

export interface LoadCommand {
  readonly kind: 'load'
  readonly stepMs: number
  readonly series: readonly ScriptSeries[]
  /** Also store each classic histogram as a native one with custom buckets. */
  readonly withCustomBuckets: boolean
}

export type Command = { readonly kind: 'clear' } | LoadCommand | EvalCommand

const EVAL =
  /^eval(?:_(\w+))?\s+(?:instant(?:\s+at\s+(\S+))?|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.+)$/i
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg)\s*:\s*(.*))?$/
const EXPECT_RANGE = /^expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/

/**
 * Reads a script of `clear`, `load` and `eval` commands, one per block; a block ends at an empty line or a comment.
 *
 * @throws {Error} with the line number
 */
export function parseScript(text: string): Command[] {
  const lines = text.split('\n').map((line) => line.trim())
  const commands: Command[] = []
  for (let at = 0; at < lines.length; at++) {
    const head = lines[at]!
    if (isBlank(head)) continue
    let end = at + 1
    const word = head.split(/\s/)[0]!.toLowerCase()
    if (word !== 'clear') while (end < lines.length && !isBlank(lines[end]!)) end++
    try {
      commands.push(parseCommand(word, head, lines.slice(at + 1, end), at + 1))
    } catch (cause) {
      throw new Error(`line ${at + 1}: ${(cause as Error).message}`, { cause })
    }
    at = end - 1
  }
  return commands
}

const isBlank = (line: string): boolean => line === '' || line.startsWith('#')

function parseCommand(word: string, head: string, body: readonly string[], line: number): Command {
  if (word === 'clear') return { kind: 'clear' }
  if (word === 'load' || word === 'load_with_nhcb') {
    const stepMs = parseTimeMs(head.split(/\s+/)[1]!)
    return { kind: 'load', stepMs, series: parseLoad(body), withCustomBuckets: word === 'load_with_nhcb' }
  }
  if (word.startsWith('eval')) return parseEval(head, body, line)
  throw new Error(`unknown command ${word}`)
}

/** Start times of samples stand on lines of their own, in front of the series. */
function parseLoad(body: readonly string[]): ScriptSeries[] {
  const series: ScriptSeries[] = []
  let startOffsetsMs: ScriptSeries['startOffsetsMs']
  for (const row of body) {
    const starts = parseStartTimesLine(row)
    if (starts === undefined) series.push({ ...parseSeriesLine(row), ...(startOffsetsMs && { startOffsetsMs }) })
    startOffsetsMs = starts?.offsetsMs
  }
  return series
}

function parseEval(head: string, body: readonly string[], line: number): EvalCommand {
  const match = EVAL.exec(head)
  if (!match) throw new Error(`bad eval: ${head}`)
  const [, mode, at, from, to, step, expr] = match
  const expectations: Expectation[] = []
  if (mode !== undefined) expectations.push({ kind: mode as Expectation['kind'], match: 'any', text: '' })
  const series: ScriptSeries[] = []
  let scalar: number | undefined
  let string: string | undefined
  let rangeVector: EvalCommand['rangeVector']
  for (const row of body) {
    const expect = EXPECT.exec(row)
    const expectRange = EXPECT_RANGE.exec(row)
    const legacy = /^expected_fail_(message|regexp)\s+(.*)$/.exec(row)
    if (expect) {
      const [, kind, form, text = ''] = expect
      const how = form === undefined ? 'any' : form === 'msg' ? 'text' : 'regex'
      expectations.push({ kind: kind as Expectation['kind'], match: how, text: text.trim() })
    } else if (expectRange) {
      const [startMs, endMs, stepMs] = expectRange.slice(1).map(parseTimeMs) as [number, number, number]
      rangeVector = { startMs, endMs, stepMs }
    } else if (legacy) {
      expectations.push({ kind: 'fail', match: legacy[1] === 'message' ? 'text' : 'regex', text: legacy[2]! })
    } else if (row.startsWith('expect string ')) {
      string = unquote(/^expect string\s+("(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)*')/.exec(row)![1]!)
    } else if (parseGoFloat(row) !== undefined) {
      scalar = parseGoFloat(row)
    } else {
      series.push(parseSeriesLine(row))
    }
  }
  const range =
    from === undefined ? undefined : { startMs: parseTimeMs(from), endMs: parseTimeMs(to!), stepMs: parseTimeMs(step!) }
  const timeMs = range?.startMs ?? parseTimeMs(at ?? '0')
  return { kind: 'eval', line, expr: expr!, timeMs, range, expectations, series, scalar, string, rangeVector }
}
