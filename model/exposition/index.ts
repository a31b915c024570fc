// Pages of metrics as text: Prometheus' text format and OpenMetrics, read and written.
export { parseCommentLine } from './comment-line.ts'
export { readExposition, readMetadata } from './families.ts'
export * from './format.ts'
export { ExpositionReader, parseExposition } from './parse.ts'
export { LineError, parseSampleLine, parseValue } from './sample-line.ts'
export { expositionLines, writeExposition, type WritableFamily } from './write.ts'
