import { createMatcher, type Labels, type Matcher, type MatchType, matches, type TimeRange } from '../../model/index.ts'
import { type ByteReader, ByteWriter, MalformedBytesError } from '../bytes.ts'
import { packFile, unpackFile } from '../packed-file.ts'

// Format: docs/formats/tombstones.md.
const KIND = { magic: 0x5354_5442, version: 1, name: 'a list of deletions' } as const // "BTTS"
const MATCH_TYPES: readonly MatchType[] = ['=', '!=', '=~', '!~']

/** Samples that are not to be seen any more: those of matching series, in a range of time. Plain data. */
export interface Deletion extends TimeRange {
  /** Counts up from 1. A block knows the newest one that was carried out in it. */
  readonly number: number
  readonly matchers: readonly { readonly type: MatchType; readonly name: string; readonly value: string }[]
}

/** @param newest number of the newest deletion ever */
export function encodeDeletions(newest: number, deletions: readonly Deletion[]): Uint8Array {
  const body = new ByteWriter()
  body.varint(newest)
  body.varint(deletions.length)
  for (const { number, minTimeMs, maxTimeMs, matchers } of deletions) {
    body.varint(number)
    body.f64(minTimeMs)
    body.f64(maxTimeMs)
    body.varint(matchers.length)
    for (const { type, name, value } of matchers) {
      body.u8(MATCH_TYPES.indexOf(type))
      body.string(name)
      body.string(value)
    }
  }
  return packFile(KIND, body.bytes())
}

/** @throws {CorruptionError} */
export function decodeDeletions(bytes: Uint8Array, file: string): { newest: number; deletions: Deletion[] } {
  return unpackFile(KIND, bytes, file, (body) => ({
    newest: body.varint(),
    deletions: Array.from({ length: body.count(18) }, () => ({
      number: body.varint(),
      minTimeMs: body.f64(),
      maxTimeMs: body.f64(),
      matchers: Array.from({ length: body.count(3) }, () => readMatcher(body)),
    })),
  }))
}

function readMatcher(body: ByteReader): Deletion['matchers'][number] {
  const type = MATCH_TYPES[body.u8()]
  if (type === undefined) throw new MalformedBytesError('a matcher is of no known type')
  return { type, name: body.string(), value: body.string() }
}

export const matchersOf = ({ matchers }: Deletion): Matcher[] =>
  matchers.map(({ type, name, value }) => createMatcher(type, name, value))

/**
 * Deletions that a block does not know of yet and that touch its time. In a block of summaries they reach on to the end of the
 * stretch: what is summarised stands at the last sample.
 */
export const pendingIn = (
  deletions: readonly Deletion[],
  block: {
    readonly minTime: number
    readonly maxTime: number
    readonly deletions?: number
    readonly resolution?: number
  },
): Deletion[] =>
  reachingOn(deletions, block.resolution).filter(
    ({ number, minTimeMs, maxTimeMs }) =>
      number > (block.deletions ?? 0) && minTimeMs < block.maxTime && maxTimeMs >= block.minTime,
  )

/** Deletions as they are carried out where there are summaries of stretches of a length. */
export const reachingOn = (deletions: readonly Deletion[], resolutionMs: number | undefined): readonly Deletion[] =>
  resolutionMs === undefined
    ? deletions
    : deletions.map((deletion) => ({ ...deletion, maxTimeMs: deletion.maxTimeMs + resolutionMs - 1 }))

/** Tells which times of a series are deleted, for a job that goes over many series. */
export class DeletedRanges {
  readonly #entries: readonly { readonly range: TimeRange; readonly matchers: readonly Matcher[] }[]

  constructor(deletions: readonly Deletion[]) {
    this.#entries = deletions.map((deletion) => ({ range: deletion, matchers: matchersOf(deletion) }))
  }

  /** @param overlay labels of the series, laid over those of its target; an empty value takes a label away */
  of(target: Labels, overlay: Labels): TimeRange[] {
    return this.#entries
      .filter(({ matchers }) =>
        matchers.every((matcher) =>
          matches(matcher, valueIn(overlay, matcher.name) ?? valueIn(target, matcher.name) ?? ''),
        ),
      )
      .map(({ range }) => range)
  }
}

function valueIn(labels: Labels, name: string): string | undefined {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]
  return undefined
}

/** Empties the rows of deleted times: kinds are bytes at `kinds`, 0 where there is no sample. */
export function eraseRows(kinds: Uint8Array, timestampsMs: ArrayLike<number>, ranges: readonly TimeRange[]): void {
  for (const { minTimeMs, maxTimeMs } of ranges) {
    for (let row = 0; row < kinds.length; row++) {
      if (timestampsMs[row]! >= minTimeMs && timestampsMs[row]! <= maxTimeMs) kinds[row] = 0
    }
  }
}
