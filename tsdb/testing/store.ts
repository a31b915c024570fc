import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import {
  createMatcher,
  type GroupWriter,
  type Labels,
  labelsText,
  ROW_ENTRY_BYTES,
  type SelectHints,
  type SeriesColumn,
} from '../../model/index.ts'
import { openReader, type OpeningOptions, openTsdb, type Tsdb, type TsdbOptions, type TsdbReader } from '../index.ts'

/** A folder of its own; `remove` deletes it. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-tsdb-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Copies what a store that is open now would leave if its process died. What is not flushed may be missing. */
export function copyAsKilled(dataDir: string, to: string): void {
  cpSync(dataDir, to, { recursive: true, filter: (path) => !path.endsWith('lock') })
}

/** @param opening what may happen meanwhile */
export function openStore(
  dataDir: string,
  options: Partial<TsdbOptions> & { clock?: Clock } = {},
  opening?: OpeningOptions,
): Promise<Tsdb> {
  const defaults = {
    dataDir,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    retentionMs: 1e15,
    futureMaxMs: Number.POSITIVE_INFINITY,
  }
  return openTsdb({ ...defaults, ...options }, opening)
}

/** A value of a row: a number, the bits of a float64, a staleness marker, or nothing. */
export type CellValue = number | bigint | 'stale' | 'absent'

/** Writes a row through a `GroupWriter`; numbers that are whole go as decimals, others as bits. */
export function writeRow(writer: GroupWriter, timestampMs: number, cells: readonly [number, CellValue][]): void {
  const entries = new Uint8Array(cells.length * ROW_ENTRY_BYTES)
  const view = new DataView(entries.buffer)
  for (const [i, [position, value]] of cells.entries()) {
    const at = i * ROW_ENTRY_BYTES
    view.setUint32(at, position, true)
    if (value === 'absent' || value === 'stale') view.setUint8(at + 4, value === 'stale' ? 3 : 0)
    else if (typeof value === 'bigint') {
      view.setUint8(at + 4, 2)
      view.setBigUint64(at + 8, value, true)
    } else {
      // Tenths: exact as decimals.
      view.setUint8(at + 4, 1)
      view.setInt8(at + 5, 1)
      view.setBigInt64(at + 8, BigInt(Math.round(value * 10)), true)
    }
  }
  writer.writeRow(timestampMs, entries, cells.length)
}

export const STALE_BITS = 0x7ff0000000000002n

/** `[time, bits of the value]` per sample, by the series' text. */
export type Dump = Record<string, [number, bigint][]>

/** Everything a store has in a range, through a reader of this thread. */
export function dump(store: Tsdb, selector: Labels = [], hints: Partial<SelectHints> = {}): Dump {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  try {
    return dumpReader(reader, selector, hints)
  } finally {
    reader.close()
    detach()
  }
}

export function dumpReader(reader: TsdbReader, selector: Labels = [], hints: Partial<SelectHints> = {}): Dump {
  const range = { minTimeMs: -1e15, maxTimeMs: 1e15, ...hints }
  const matchers = []
  for (let i = 0; i < selector.length; i += 2) matchers.push(createMatcher('=', selector[i]!, selector[i + 1]!))
  const result: Dump = {}
  const querier = reader.querier(range)
  try {
    for (const column of querier.select(matchers, range)) {
      const name = labelsText(column.labels)
      if (result[name] !== undefined) throw new Error(`${name} came twice`)
      result[name] = samplesOf(column)
    }
  } finally {
    querier.close()
  }
  return result
}

function samplesOf(column: SeriesColumn): [number, bigint][] {
  const bits = new BigUint64Array(column.values.slice(0, column.length).buffer)
  return Array.from(bits, (value, i) => {
    if ((value === STALE_BITS) !== (column.stale?.[i] === 1)) throw new Error('wrong stale flag')
    return [column.timestampsMs[i]!, value]
  })
}

/** Bits of a float64. */
export function bitsOf(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0]!
}
