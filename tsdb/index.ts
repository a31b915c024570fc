// The time-series database: one writer, readers in any thread. See docs/formats for what lies on disk.
export { type BlockSizes, blockSizes } from './block/block-sizes.ts'
export type { BlockMeta } from './block/meta.ts'
export * from './errors.ts'
export * from './import-export/index.ts'
export type { RetentionRule, TsdbOptions, TsdbSettings } from './options.ts'
export type { CardinalityItem, TsdbCardinality } from './read/cardinality.ts'
export { openReader, type ReaderHandle, type TsdbReader } from './read/reader.ts'
export { openTsdb, type OpeningOptions, type Tsdb, type TsdbStats } from './tsdb.ts'
