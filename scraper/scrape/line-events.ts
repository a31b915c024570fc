import { LOCKSTEP_EVENT_BYTES, LOCKSTEP_NO_ENTRY, LockstepEvent, LockstepParam } from '../../kernels/index.ts'
import {
  type ExpositionFormat,
  type ExpositionSample,
  LineError,
  type MetricType,
  parseCommentLine,
  parseSampleLine,
  parseValue,
  ROW_ENTRY_BYTES,
} from '../../model/index.ts'
import type { PageMemory } from './page-memory.ts'

/** A line the kernel left to us. */
export interface LooseLine {
  readonly line: number
  /** The key was not among the old lines; otherwise something stands behind the value, or the series is external. */
  readonly fresh: boolean
  readonly sample: ExpositionSample
}

/** What of a page stands before the lines that are looked at. */
export interface LineContext {
  /** Of the last TYPE line. */
  type: MetricType
  /** `# EOF` stood at the end. */
  sawEnd: boolean
}

export const lineContext = (): LineContext => ({ type: 'unknown', sawEnd: false })

/**
 * Settles what the kernel reported about the page: fills in values that are no plain decimals, checks comments, parses
 * lines.
 *
 * @param context is brought up to date
 * @returns the loose lines in page order, or `undefined` when some line breaks the format
 */
export function settleEvents(
  memory: PageMemory,
  body: Uint8Array,
  format: ExpositionFormat,
  context: LineContext = lineContext(),
): LooseLine[] | undefined {
  const { words, params } = memory
  const eventCount = params[LockstepParam.EVENT_COUNT]!
  const loose: LooseLine[] = []
  if (eventCount === 0) return loose
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  let at = params[LockstepParam.EVENTS]! / 4
  try {
    for (let i = 0; i < eventCount; i++, at += LOCKSTEP_EVENT_BYTES / 4) {
      const kind = words[at]!
      const index = words[at + 1]! >>> 0
      const start = words[at + 2]!
      const end = words[at + 3]!
      if (kind === LockstepEvent.SLOW) {
        fillPayload(memory, index, parseValue(text.toString('latin1', start, end)))
      } else if (kind === LockstepEvent.COMMENT) {
        const comment = parseCommentLine(text.toString('utf8', start, end), format)
        if (comment.kind === 'type') context.type = comment.type
        // Nothing but a newline may follow.
        if (comment.kind === 'eof') {
          if (end < body.length - 1) return undefined
          context.sawEnd = true
        }
      } else {
        const sample = parseSampleLine(text.toString('utf8', start, end), format, context.type)
        loose.push({ line: index, fresh: kind === LockstepEvent.FRESH, sample })
      }
    }
  } catch (error) {
    if (error instanceof LineError) return undefined
    throw error
  }
  return loose
}

/**
 * Whether lines begin the way OpenMetrics wants it: none is blank, none starts with a blank. Together with what `settleEvents`
 * checks line by line, and `# EOF` at the end, that makes a page of that format.
 */
export function hasStrictLines(body: Uint8Array): boolean {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const first = text[0]
  if (first === NEWLINE || first === SPACE || first === TAB) return false
  return LOOSE_BEGINNINGS.every((beginning) => !text.includes(beginning))
}

const NEWLINE = 10
const SPACE = 32
const TAB = 9
const LOOSE_BEGINNINGS = ['\n\n', '\n ', '\n\t']

function fillPayload(memory: PageMemory, index: number, value: number): void {
  if (index === LOCKSTEP_NO_ENTRY) return
  const entryAt = memory.params[LockstepParam.ENTRIES]! + index * ROW_ENTRY_BYTES
  writeRawPayload(memory, entryAt, value)
}

/** Go's NaN bits for any NaN, as the reference stores them. */
export function writeRawPayload(memory: PageMemory, entryAt: number, value: number): void {
  if (Number.isNaN(value)) {
    memory.words[entryAt / 4 + 2] = 1
    memory.words[entryAt / 4 + 3] = 0x7ff80000
  } else {
    memory.floats[entryAt / 8 + 1] = value
  }
}
