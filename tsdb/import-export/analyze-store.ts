import { join } from 'node:path'
import { METRIC_NAME } from '../../model/index.ts'
import { blockSizes } from '../block/block-sizes.ts'
import { openReader } from '../read/reader.ts'
import type { Tsdb } from '../tsdb.ts'

export interface Counted {
  readonly name: string
  readonly count: number
}

/** What a store consists of. Lists begin with the largest. */
export interface Analysis {
  readonly series: number
  readonly labelNames: number
  readonly labelPairs: number
  /** In blocks. */
  readonly samples: number
  readonly valueBytes: number
  readonly timestampBytes: number
  readonly indexBytes: number
  /** Of `sum` sections and of blocks of summaries, which are counted nowhere else. */
  readonly summaryBytes: number
  readonly seriesByMetric: readonly Counted[]
  readonly valuesByLabel: readonly Counted[]
  readonly seriesByPair: readonly Counted[]
  /** Bytes of all different values. */
  readonly bytesByLabel: readonly Counted[]
}

const EVERYTHING = { minTimeMs: Number.MIN_SAFE_INTEGER, maxTimeMs: Number.MAX_SAFE_INTEGER }

/** @param limit length of the lists */
export function analyzeStore(store: Tsdb, dataDir: string, limit: number): Analysis {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const pairs = new Map<string, Map<string, number>>()
  let series = 0
  try {
    const querier = reader.querier(EVERYTHING)
    try {
      for (const labels of querier.series([], EVERYTHING)) {
        series++
        for (let i = 0; i < labels.length; i += 2) {
          const values = pairs.get(labels[i]!) ?? new Map<string, number>()
          pairs.set(labels[i]!, values)
          values.set(labels[i + 1]!, (values.get(labels[i + 1]!) ?? 0) + 1)
        }
      }
    } finally {
      querier.close()
    }
  } finally {
    reader.close()
    detach()
  }
  const names = [...pairs]
  const top = (counted: Counted[]): Counted[] => counted.sort((a, b) => b.count - a.count).slice(0, limit)
  const counted = (values: Iterable<readonly [string, number]>): Counted[] =>
    Array.from(values, ([name, count]) => ({ name, count }))
  const bytesOf = (values: ReadonlyMap<string, number>): number =>
    [...values.keys()].reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  const tiers = store.blocks().filter(({ resolution }) => resolution !== undefined)
  const blocks = store.blocks().filter(({ resolution }) => resolution === undefined)
  const sizes = blocks.map(({ ulid }) => blockSizes(join(dataDir, ulid)))
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
  return {
    series,
    labelNames: names.length,
    labelPairs: sum(names.map(([, values]) => values.size)),
    samples: sum(blocks.map(({ stats }) => stats.numSamples)),
    valueBytes: sum(sizes.map(({ valueBytes }) => valueBytes)),
    timestampBytes: sum(sizes.map(({ timestampBytes }) => timestampBytes)),
    indexBytes: sum(sizes.map(({ indexBytes }) => indexBytes)),
    summaryBytes: sum([...sizes.map(({ summaryBytes }) => summaryBytes), ...tiers.map(({ stats }) => stats.numBytes)]),
    seriesByMetric: top(counted(pairs.get(METRIC_NAME) ?? [])),
    valuesByLabel: top(counted(names.map(([name, values]) => [name, values.size]))),
    seriesByPair: top(
      names.flatMap(([name, values]) => top(counted([...values].map(([value, n]) => [`${name}=${value}`, n])))),
    ),
    bytesByLabel: top(counted(names.map(([name, values]) => [name, bytesOf(values)]))),
  }
}
