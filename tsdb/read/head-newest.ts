// Hot: instant queries, above all of very many series. Covered by bench/load/history.ts.
import { SampleKind, type TimeRange, writeStaleNaN } from '../../model/index.ts'
import { Group, GroupFlag, stateColumns } from '../memory/layout.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { GroupSnapshot } from './head-snapshot.ts'
import { NewestState, type NewestValues } from './piece.ts'

// In the joined code an import may lie in another piece, which is asked for it each time that it is named.
const { NONE, VALUE, STALE } = NewestState
const { ABSENT, RAW, STALE: STALE_KIND } = SampleKind

/** Of a group's positions, or of some of them. */
interface NewestColumns {
  /** Where positions have times of their own. */
  readonly lastMs: Float64Array | undefined
  /** Two words each: low, high. */
  readonly mantissas: Uint32Array
  readonly exponents: Int8Array
  readonly kinds: Uint8Array
}

/** Where they lie in the store's memory, which the writer changes. */
function columnsOf({ u8, u32, f64 }: MemoryViews, group: GroupSnapshot): NewestColumns {
  const { m, lastTs, e, k } = stateColumns(group.state, group.stateCapacity, (group.flags & GroupFlag.SPARSE) !== 0)
  const count = group.positionCount
  return {
    lastMs: lastTs === 0 ? undefined : f64.subarray(lastTs >>> 3, (lastTs >>> 3) + count),
    mantissas: u32.subarray(m >>> 2, (m >>> 2) + 2 * count),
    exponents: new Int8Array(u8.buffer, e, count),
    kinds: u8.subarray(k, k + count),
  }
}

/** Whether the last values are still those of the snapshot; what was read before is whole then. */
const isCurrent = ({ u32 }: MemoryViews, { words, stateVersion }: GroupSnapshot): boolean =>
  Atomics.add(u32, words + Group.STATE_VERSION, 0) === stateVersion && (stateVersion & 1) === 0

/** The last-value columns of a group, copied at a moment when they were those of the snapshot. */
export class HeadNewest implements NewestValues {
  /** Where in the columns the series are; `undefined` where the columns hold just these, in their order. */
  readonly #positions: Uint32Array | undefined
  readonly #newestMs: number
  readonly #columns: NewestColumns

  private constructor(group: GroupSnapshot, positions: Uint32Array | undefined, columns: NewestColumns) {
    this.#positions = positions
    this.#newestMs = group.newestMs
    this.#columns = columns
  }

  /** `undefined` when the writer has moved on since the snapshot. */
  static copy(views: MemoryViews, group: GroupSnapshot, positions: Uint32Array): HeadNewest | undefined {
    if (!isCurrent(views, group)) return undefined
    const isGathered = positions.length * GATHER_RATIO < group.positionCount
    const columns = isGathered ? gather(columnsOf(views, group), positions) : copyAll(columnsOf(views, group))
    return isCurrent(views, group) ? new HeadNewest(group, isGathered ? undefined : positions, columns) : undefined
  }

  timeOf(index: number, minTimeMs: number): number {
    const position = this.#positions === undefined ? index : this.#positions[index]!
    return newestTime(this.#columns, position, this.#newestMs, minTimeMs)
  }

  valueOf(index: number, into: Float64Array): boolean {
    const position = this.#positions === undefined ? index : this.#positions[index]!
    const { mantissas, exponents, kinds } = this.#columns
    const kind = kinds[position]! & 3
    const low = mantissas[2 * position]!
    const high = mantissas[2 * position + 1]!
    if (kind === STALE_KIND) writeStaleNaN(into, 0)
    else if (kind === RAW) new Uint32Array(into.buffer, into.byteOffset, 2).set([low, high])
    else into[0] = decimal(low, high, exponents[position]!)
    return kind === STALE_KIND
  }
}

/**
 * Writes value and `NewestState` of the positions given, as far as they have one in the range: straight from the store's memory.
 *
 * @returns false when that is not known of all, or when the writer has moved on; what was written is worth nothing then
 */
export function fillNewest(
  views: MemoryViews,
  group: GroupSnapshot,
  positions: Uint32Array,
  { minTimeMs, maxTimeMs }: TimeRange,
  values: Float64Array,
  states: Uint8Array,
): boolean {
  if (!isCurrent(views, group)) return false
  const columns = columnsOf(views, group)
  const { mantissas, exponents, kinds } = columns
  const { newestMs } = group
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * positions.length)
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!
    const timeMs = newestTime(columns, position, newestMs, minTimeMs)
    if (timeMs < minTimeMs) {
      states[i] = NONE
      continue
    }
    // NaN, too.
    if (!(timeMs <= maxTimeMs)) return false
    const kind = kinds[position]! & 3
    const low = mantissas[2 * position]!
    const high = mantissas[2 * position + 1]!
    states[i] = kind === STALE_KIND ? STALE : VALUE
    if (kind === RAW) {
      words[2 * i] = low
      words[2 * i + 1] = high
    } else values[i] = decimal(low, high, exponents[position]!)
  }
  return isCurrent(views, group)
}

/** As `NewestValues.timeOf`. */
function newestTime(columns: NewestColumns, position: number, newestMs: number, minTimeMs: number): number {
  if (columns.lastMs !== undefined) return columns.lastMs[position]!
  if (columns.kinds[position] !== ABSENT) return newestMs
  // The place of the mantissa holds the time of the last sample before it went absent, 0 if there was none: a bound.
  const high = columns.mantissas[2 * position + 1]! | 0
  const boundMs = high * 2 ** 32 + columns.mantissas[2 * position]!
  return boundMs < minTimeMs ? Number.NEGATIVE_INFINITY : Number.NaN
}

function decimal(low: number, high: number, exponent: number): number {
  const mantissa = (high | 0) * 2 ** 32 + low
  if (exponent === 0) return mantissa
  return exponent > 0 ? mantissa / POWERS[exponent]! : mantissa * POWERS[-exponent]!
}

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

// Below one in so many positions picking them costs less than copying all.
const GATHER_RATIO = 4

const copyAll = ({ lastMs, mantissas, exponents, kinds }: NewestColumns): NewestColumns => ({
  lastMs: lastMs?.slice(),
  mantissas: mantissas.slice(),
  exponents: exponents.slice(),
  kinds: kinds.slice(),
})

function gather({ lastMs, mantissas, exponents, kinds }: NewestColumns, positions: Uint32Array): NewestColumns {
  const pairs = new Uint32Array(2 * positions.length)
  for (let i = 0; i < positions.length; i++) {
    pairs[2 * i] = mantissas[2 * positions[i]!]!
    pairs[2 * i + 1] = mantissas[2 * positions[i]! + 1]!
  }
  return {
    lastMs: lastMs && Float64Array.from(positions, (position) => lastMs[position]!),
    mantissas: pairs,
    exponents: Int8Array.from(positions, (position) => exponents[position]!),
    kinds: Uint8Array.from(positions, (position) => kinds[position]!),
  }
}
