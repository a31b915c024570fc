import { readFile } from 'node:fs/promises'
import { decodeMetricFamilies } from '../../model/index.ts'
import type { Change } from '../change.ts'
import { fromClientFamily } from '../client-families.ts'
import { PushImportError } from '../errors.ts'
import { adoptFamilies, PUSH_FAILURE_TIME, PUSH_TIME } from '../exposed-labels.ts'
import type { PushedFamily } from '../family.ts'
import type { GroupLabels } from '../group-path.ts'
import { storeFamily } from '../stored-family.ts'
import { type GobStruct, type GobValue, readGob } from './gob-reader.ts'

interface TimedFamily {
  readonly family: PushedFamily
  readonly pushedAtMs: number
}

/**
 * Reads the file in which the original keeps its groups: a gob stream with a map from grouping keys to groups, whose
 * families are protobuf.
 *
 * @returns the groups as records of the journal
 * @throws {PushImportError}
 */
export async function readPersistenceFile(path: string): Promise<Change[]> {
  try {
    const groups = asMap(readGob(await readFile(path)), 'groups')
    return [...groups.values()].map((group) => groupChangeOf(asStruct(group, 'a group')))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new PushImportError(`${path}: not a persistence file of a Pushgateway: ${why}`, { cause: error })
  }
}

function groupChangeOf(group: GobStruct): Change {
  const labels: Record<string, string> = {}
  for (const [name, value] of asMap(group.Labels ?? new Map(), 'labels')) labels[String(name)] = String(value)
  const families = [...asMap(group.Metrics ?? new Map(), 'metrics').values()].map((item) => timedFamily(item))
  const timeOf = (name: string): number => {
    const metric = families.find(({ family }) => family.name === name)?.family.metrics[0]
    return metric !== undefined && 'value' in metric ? Math.round(metric.value * 1000) : 0
  }
  const pushTimeMs = timeOf(PUSH_TIME)
  const kept = families.filter(({ family }) => family.name !== PUSH_TIME && family.name !== PUSH_FAILURE_TIME)
  return {
    op: 'group',
    group: {
      labels: labels satisfies GroupLabels,
      firstPushMs: pushTimeMs,
      pushTimeMs,
      pushFailureTimeMs: timeOf(PUSH_FAILURE_TIME),
      ttlMs: 0,
      events: [],
      pushCount: 0,
    },
    families: kept.flatMap(({ family, pushedAtMs }) =>
      adoptFamilies([family], labels).map((adopted) => storeFamily(adopted, pushedAtMs)),
    ),
  }
}

function timedFamily(item: GobValue): TimedFamily {
  const { Timestamp: time, GobbableMetricFamily: message } = asStruct(item, 'a metric family')
  if (!Buffer.isBuffer(time) || !Buffer.isBuffer(message)) throw new PushImportError('a metric family lacks its parts')
  const [family] = decodeMetricFamilies(Buffer.concat([varint(message.length), message]))
  if (family === undefined) throw new PushImportError('a metric family is empty')
  return { family: fromClientFamily(family), pushedAtMs: timeMsOf(time) }
}

const YEAR_1_TO_1970_SECONDS = 62_135_596_800n

/** Go's binary time: a version, seconds since the year 1, nanoseconds, the zone. */
function timeMsOf(bytes: Buffer): number {
  if (bytes.length < 13) throw new PushImportError('a time is too short')
  const seconds = bytes.readBigInt64BE(1) - YEAR_1_TO_1970_SECONDS
  return Number(seconds) * 1000 + Math.floor(bytes.readInt32BE(9) / 1e6)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 0x80)
  }
}

function asMap(value: GobValue, what: string): Map<GobValue, GobValue> {
  if (value instanceof Map) return value
  throw new PushImportError(`${what} expected`)
}

function asStruct(value: GobValue, what: string): GobStruct {
  if (typeof value === 'object' && !(value instanceof Map) && !Array.isArray(value) && !Buffer.isBuffer(value))
    return value
  throw new PushImportError(`${what} expected`)
}
