// Covered by `npm run bench -- push`: no step here may hold up the process while many groups are shown.
import { type ClientMetric, encodeMetricFamilyInSlices } from '../model/index.ts'
import { toClientHeader, toClientMetrics } from './client-families.ts'
import { PUSH_FAILURE_TIME, PUSH_TIME } from './exposed-labels.ts'
import type { PushedFamily, PushedLabels, PushedMetric, PushedType } from './family.ts'
import type { Group } from './group.ts'
import { escapeFamily } from './name-escaping.ts'
import type { PageFormat } from './negotiate.ts'
import {
  hasSameLines,
  OPENMETRICS_END,
  openMetricsHeader,
  openMetricsLines,
  writeOpenMetrics,
} from './page-openmetrics.ts'
import { sampleLine, writeHeader, writeMetrics } from './page-text.ts'
import { readFamily, type StoredFamily } from './stored-family.ts'
import { inTurns } from './turns.ts'

/** What the page shows, taken at one moment: later pushes do not change it. */
export interface PageState {
  readonly groups: readonly PageGroup[]
  /** The process's own metrics. */
  readonly own: readonly PushedFamily[]
}

interface PageGroup {
  readonly exposed: PushedLabels
  readonly pushTimeMs: number
  readonly failureTimeMs: number
  readonly families: ReadonlyMap<string, StoredFamily>
}

/** Groups that are looked through before others may get a turn. */
const GROUPS_AT_A_TIME = 64
/** Metrics that are written before others may get a turn. */
const METRICS_AT_A_TIME = 64
const NO_BYTES = new Uint8Array()

export function takePageState(groups: readonly Group[], own: readonly PushedFamily[]): PageState {
  return {
    groups: groups.map(({ exposed, pushTimeMs, pushFailureTimeMs, families }) => ({
      exposed,
      pushTimeMs,
      failureTimeMs: pushFailureTimeMs,
      families,
    })),
    own,
  }
}

/** The page in pieces, families in the order of their names; between pieces others get a turn. */
export function writePage(state: PageState, format: PageFormat): AsyncGenerator<Buffer> {
  return inTurns(pageParts(state, format))
}

/** All strings, or all bytes. */
function* pageParts(state: PageState, format: PageFormat): Generator<string | Uint8Array> {
  const nothing = format.kind === 'protobuf' ? NO_BYTES : ''
  const families = new Map<string, StoredFamily[]>()
  for (const [index, group] of state.groups.entries()) {
    addFamilies(families, group)
    if (index % GROUPS_AT_A_TIME === 0) yield nothing
  }
  const own = new Map(state.own.map((family) => [family.name, family]))
  const names = [...new Set([...own.keys(), ...families.keys(), ...TIMES.map(({ name }) => name)])].sort()
  // Names that nothing else may take once it is escaped.
  const taken = new Set(names)
  for (const name of names) {
    const times = TIMES.find((time) => time.name === name)
    if (times !== undefined && state.groups.length > 0) yield* timeParts(state, times, format)
    else yield* familyParts(own.get(name), families.get(name) ?? [], { format, taken })
  }
  if (format.kind === 'openmetrics') yield OPENMETRICS_END
}

function addFamilies(families: Map<string, StoredFamily[]>, group: PageGroup): void {
  for (const family of group.families.values()) {
    const list = families.get(family.name)
    if (list === undefined) families.set(family.name, [family])
    else list.push(family)
  }
}

const TIMES = [
  {
    name: PUSH_FAILURE_TIME,
    help: 'When changing this group last failed, in Unix seconds.',
    timeMs: (group: PageGroup) => group.failureTimeMs,
  },
  {
    name: PUSH_TIME,
    help: 'When this group was last changed, in Unix seconds.',
    timeMs: (group: PageGroup) => group.pushTimeMs,
  },
] as const

function* timeParts(
  { groups }: PageState,
  { name, help, timeMs }: (typeof TIMES)[number],
  format: PageFormat,
): Generator<string | Uint8Array> {
  const header = { name, help, type: 'gauge' as const }
  if (format.kind === 'text' && format.escaping === 'allow-utf-8') {
    yield writeHeader(header)
    for (const group of groups) yield sampleLine(name, group.exposed, timeMs(group) / 1000)
    return
  }
  yield* writtenParts({ ...header, metrics: [] }, timeSlices(groups, timeMs), format)
}

function* timeSlices(
  groups: readonly PageGroup[],
  timeMs: (group: PageGroup) => number,
): Generator<readonly PushedMetric[]> {
  for (let from = 0; from < groups.length; from += METRICS_AT_A_TIME) {
    const some = groups.slice(from, from + METRICS_AT_A_TIME)
    yield some.map((group) => ({ labels: group.exposed, value: timeMs(group) / 1000 }))
  }
}

function* familyParts(
  own: PushedFamily | undefined,
  stored: readonly StoredFamily[],
  { format, taken }: { readonly format: PageFormat; readonly taken: Set<string> },
): Generator<string | Uint8Array> {
  const first = own ?? stored[0]
  if (first === undefined) return
  const { name, type } = first
  const help = [own, ...stored].find((family) => family !== undefined && family.help !== '')?.help ?? ''
  const isPlain = format.escaping === 'allow-utf-8' || !stored.some(({ hasUtf8Names }) => hasUtf8Names)
  if (format.kind === 'openmetrics' && isPlain && hasSameLines(name, type)) {
    yield openMetricsHeader({ name, type, help })
    if (own !== undefined) yield writeOpenMetrics(own)
    for (const family of stored) yield openMetricsLinesUnder(type, family)
    return
  }
  if (format.kind === 'text' && isPlain) {
    yield writeHeader({ name, type, help })
    if (own !== undefined) yield writeMetrics(own)
    for (const family of stored) yield linesUnder(type, family)
    return
  }
  const alike = { name, type, help, metrics: [] }
  let shown = escapeFamily(alike, format.escaping).name
  // Two names may look alike once they are escaped; then the second one is spelled out.
  const isTaken = shown !== name && taken.has(shown)
  const escaping = isTaken ? 'values' : format.escaping
  if (isTaken) shown = escapeFamily(alike, escaping).name
  taken.add(shown)
  yield* writtenParts(alike, slicesOf(own, stored), { ...format, escaping })
}

/** Metrics as lists that take about as long to write. Read only when they are asked for: kept, they would cost long collections. */
function* slicesOf(own: PushedFamily | undefined, stored: readonly StoredFamily[]): Generator<readonly PushedMetric[]> {
  let slice: PushedMetric[] = [...(own?.metrics ?? [])]
  for (const family of stored) {
    for (const metric of readFamily(family).metrics) {
      slice.push(metric)
      if (slice.length < METRICS_AT_A_TIME) continue
      yield slice
      slice = []
    }
  }
  yield slice
}

/** With the consistency check off groups may give a name different types. The first one's stands; others show their values. */
function linesUnder(type: PushedType, family: StoredFamily): string {
  return family.type === type ? family.lines : writeMetrics({ ...readFamily(family), type })
}

/** Written from the lines that are kept, where those can tell all: reading them first costs ten times as much. */
function openMetricsLinesUnder(type: PushedType, family: StoredFamily): string {
  const isKept = family.type === type && family.whole === undefined
  return isKept ? openMetricsLines(family.lines) : writeOpenMetrics({ ...readFamily(family), type })
}

/** `family`: without its metrics, which come in slices. */
function* writtenParts(
  family: PushedFamily,
  slices: Iterable<readonly PushedMetric[]>,
  { kind, escaping }: PageFormat,
): Generator<string | Uint8Array> {
  const header = escapeFamily(family, escaping)
  const escaped = escapedSlices(family, slices, escaping)
  if (kind === 'protobuf') {
    yield* encodeMetricFamilyInSlices(toClientHeader(header), clientSlices(escaped))
    return
  }
  yield kind === 'openmetrics' ? openMetricsHeader(header) : writeHeader(header)
  for (const some of escaped) yield kind === 'openmetrics' ? writeOpenMetrics(some) : writeMetrics(some)
}

function* escapedSlices(
  family: PushedFamily,
  slices: Iterable<readonly PushedMetric[]>,
  escaping: PageFormat['escaping'],
): Generator<PushedFamily> {
  for (const metrics of slices) yield escapeFamily({ ...family, metrics }, escaping)
}

function* clientSlices(slices: Iterable<PushedFamily>): Generator<readonly ClientMetric[]> {
  for (const slice of slices) yield toClientMetrics(slice)
}
