import { createMatcher, type Matcher, type MatchType, ProtoReader, ProtoType } from '../../model/index.ts'
import { sortMatchers } from '../matcher/parse.ts'
import type { NotificationLogEntry } from '../notify/notification-log.ts'
import type { Silence } from '../silence/silences.ts'

const MATCH_TYPES: readonly MatchType[] = ['=', '=~', '!=', '!~']
const bytesTag = (field: number): number => (field << 3) | ProtoType.BYTES
const varintTag = (field: number): number => (field << 3) | ProtoType.VARINT

/** Reads fields until the message ends; what `read` does not take (false) is passed over. */
function fieldsOf(reader: ProtoReader, read: (tag: number) => boolean): void {
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) if (!read(tag)) reader.skip(tag)
}

function nested<T>(reader: ProtoReader, read: () => T): T {
  const outerEnd = reader.open()
  const value = read()
  reader.close(outerEnd)
  return value
}

/** Each message of a file has its length before it. */
function* messagesOf<T>(bytes: Uint8Array, read: (reader: ProtoReader) => T): Iterable<T> {
  const reader = new ProtoReader(bytes)
  while (reader.pos < reader.end) yield nested(reader, () => read(reader))
}

/** The file `silences` of the original's data folder. @throws {WireFormatError} for bytes that are none */
export function readSilencesFile(bytes: Uint8Array): Silence[] {
  return [...messagesOf(bytes, meshSilence)].filter((silence) => silence !== undefined)
}

function meshSilence(reader: ProtoReader): Silence | undefined {
  let silence: Silence | undefined
  fieldsOf(reader, (tag) => {
    if (tag !== bytesTag(1)) return false
    silence = nested(reader, () => silenceOf(reader))
    return true
  })
  return silence
}

function silenceOf(reader: ProtoReader): Silence | undefined {
  const texts: Record<number, string> = {}
  const times: Record<number, number> = {}
  const matchers: Matcher[] = []
  const sets: Matcher[][] = []
  const annotations: [string, string][] = []
  fieldsOf(reader, (tag) => {
    const field = tag >>> 3
    if (field === 1 || field === 8 || field === 9) texts[field] = reader.string()
    else if (field >= 3 && field <= 5) times[field] = nested(reader, () => timeOf(reader))
    else if (field === 2) matchers.push(nested(reader, () => matcherOf(reader)))
    else if (field === 10) annotations.push(nested(reader, () => pairOf(reader)))
    else if (field === 11) sets.push(nested(reader, () => matcherSetOf(reader)))
    else return false
    return true
  })
  const own = matchers.length > 0 ? matchers : (sets[0] ?? [])
  // Several sets are joined by OR, which one silence here cannot say.
  if (own.length === 0 || sets.length > 1) return undefined
  return {
    id: texts[1] ?? '',
    matchers: sortMatchers(own),
    startsAtMs: times[3] ?? 0,
    endsAtMs: times[4] ?? 0,
    updatedAtMs: times[5] ?? 0,
    createdBy: texts[8] ?? '',
    comment: texts[9] ?? '',
    annotations: Object.fromEntries(annotations),
  }
}

function matcherOf(reader: ProtoReader): Matcher {
  let [type, name, pattern] = [0, '', '']
  fieldsOf(reader, (tag) => {
    if (tag === varintTag(1)) type = reader.uint32()
    else if (tag === bytesTag(2)) name = reader.string()
    else if (tag === bytesTag(3)) pattern = reader.string()
    else return false
    return true
  })
  return createMatcher(MATCH_TYPES[type] ?? '=', name, pattern)
}

function matcherSetOf(reader: ProtoReader): Matcher[] {
  const matchers: Matcher[] = []
  fieldsOf(reader, (tag) => {
    if (tag !== bytesTag(1)) return false
    matchers.push(nested(reader, () => matcherOf(reader)))
    return true
  })
  return matchers
}

function timeOf(reader: ProtoReader): number {
  let [seconds, nanos] = [0, 0]
  fieldsOf(reader, (tag) => {
    if (tag === varintTag(1)) seconds = reader.int64()
    else if (tag === varintTag(2)) nanos = reader.int32()
    else return false
    return true
  })
  return seconds * 1000 + Math.floor(nanos / 1e6)
}

function pairOf(reader: ProtoReader): [string, string] {
  const pair: [string, string] = ['', '']
  fieldsOf(reader, (tag) => {
    if (tag === bytesTag(1)) pair[0] = reader.string()
    else if (tag === bytesTag(2)) pair[1] = reader.string()
    else return false
    return true
  })
  return pair
}

export interface OriginalLogEntry {
  /** As our notification log has it. */
  readonly key: string
  readonly entry: NotificationLogEntry
}

/** The file `nflog` of the original's data folder. @throws {WireFormatError} for bytes that are none */
export function readNotificationLogFile(bytes: Uint8Array): OriginalLogEntry[] {
  return [...messagesOf(bytes, meshEntry)].filter(({ key }) => key !== '')
}

function meshEntry(reader: ProtoReader): OriginalLogEntry {
  let [key, atMs, expiresAtMs] = ['', 0, 0]
  const [firing, resolved] = [new Set<string>(), new Set<string>()]
  const data: [string, string][] = []
  const entry = (): void => {
    let [groupKey, receiver] = ['', '']
    fieldsOf(reader, (tag) => {
      const field = tag >>> 3
      if (field === 1) groupKey = reader.string()
      else if (field === 2) receiver = nested(reader, () => receiverOf(reader))
      else if (field === 5) atMs = nested(reader, () => timeOf(reader))
      else if (field === 6 || field === 7) hashes(reader, tag, field === 6 ? firing : resolved)
      else if (field === 8) data.push(nested(reader, () => dataOf(reader)))
      else return false
      return true
    })
    key = groupKey === '' ? '' : `${groupKey}:${receiver}`
  }
  fieldsOf(reader, (tag) => {
    if (tag === bytesTag(1)) nested(reader, entry)
    else if (tag === bytesTag(2)) expiresAtMs = nested(reader, () => timeOf(reader))
    else return false
    return true
  })
  const receiverData = Object.fromEntries(data.filter(([, value]) => value !== ''))
  return { key, entry: { firing, resolved, atMs, expiresAtMs, receiverData, knowsBy: 'alert-hash' } }
}

function receiverOf(reader: ProtoReader): string {
  let [name, integration, index] = ['', '', 0]
  fieldsOf(reader, (tag) => {
    if (tag === bytesTag(1)) name = reader.string()
    else if (tag === bytesTag(2)) integration = reader.string()
    else if (tag === varintTag(3)) index = reader.uint32()
    else return false
    return true
  })
  return `${name}/${integration}/${index}`
}

/** A key and a value whose first kind is a text; other kinds are of no use here. */
function dataOf(reader: ProtoReader): [string, string] {
  const pair: [string, string] = ['', '']
  fieldsOf(reader, (tag) => {
    if (tag === bytesTag(1)) pair[0] = reader.string()
    else if (tag === bytesTag(2))
      nested(reader, () =>
        fieldsOf(reader, (inner) => {
          if (inner !== bytesTag(1)) return false
          pair[1] = reader.string()
          return true
        }),
      )
    else return false
    return true
  })
  return pair
}

/** All 64 bits count, so they are not read as numbers. Packed or one by one. */
function hashes(reader: ProtoReader, tag: number, into: Set<string>): void {
  const one = (): void => {
    let hash = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = reader.pos < reader.end ? reader.bytes[reader.pos++]! : 0
      hash |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    into.add(BigInt.asUintN(64, hash).toString(16).padStart(16, '0'))
  }
  if ((tag & 7) === ProtoType.VARINT) return one()
  nested(reader, () => {
    while (reader.pos < reader.end) one()
  })
}
