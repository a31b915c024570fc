import { isUtf8 } from 'node:buffer'
import { LOCKSTEP_EVENT_BYTES, LockstepEvent, LockstepMap, LockstepParam } from '../../kernels/index.ts'
import { ExpositionError, type ExpositionFormat, parseExposition } from '../../model/index.ts'
import { hasStrictLines, type LooseLine } from './line-events.ts'
import type { PageMemory } from './page-memory.ts'

// What is asked about a page, or about the kernel's view of it, while it is read.

/** Valid text, in lines that begin as the format wants them. */
export const isAcceptable = (body: Uint8Array, format: ExpositionFormat): boolean =>
  isUtf8(body) && (format === 'text' || hasStrictLines(body))

/** Nothing stands behind the values: the next page can be compared line by line. */
export const isComparable = (loose: readonly LooseLine[]): boolean =>
  loose.every(({ sample }) => sample.timestampMs === undefined && sample.exemplar === undefined)

export function droppedCount(map: Int32Array): number {
  let count = 0
  for (let i = 0; i < map.length; i++) if (map[i] === LockstepMap.DROPPED) count++
  return count
}

export function freshCount({ words, params }: PageMemory): number {
  let count = 0
  let at = params[LockstepParam.EVENTS]! / 4
  const end = at + (params[LockstepParam.EVENT_COUNT]! * LOCKSTEP_EVENT_BYTES) / 4
  for (; at < end; at += LOCKSTEP_EVENT_BYTES / 4) if (words[at] === LockstepEvent.FRESH) count++
  return count
}

/** What the general parser says of a slice, with the line as it counts in the page. */
export function sliceFault(body: Uint8Array, format: ExpositionFormat, linesBefore: number): Error | undefined {
  try {
    parseExposition(body, format, {})
  } catch (error) {
    if (error instanceof ExpositionError) return new ExpositionError(linesBefore + error.line, error.reason)
    return error as Error
  }
  return undefined
}

/** The general parser takes a page that the kernel does not: no blank before a value, say. It is written anew then. */
export class UnusualPageError extends Error {}
