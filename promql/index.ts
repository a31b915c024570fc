// The query language: parse, check, print, plan and evaluate PromQL, and write answers as JSON bytes.
export * from './parse/ast.ts'
export { exprType } from './check/check.ts'
export { type FunctionSignature, functionSignatures } from './check/function-signatures.ts'
export { ALL_FEATURES, type ParserFeatures } from './parse/features.ts'
export { parseExpr, parseSelector } from './parse/parse.ts'
export { ParseError } from './parse/parse-error.ts'
export { walkExpr } from './parse/walk.ts'
export { type AstJson, astJson } from './print/ast-json.ts'
export { prettyExpr } from './print/pretty.ts'
export { printExpr } from './print/print.ts'
export { type AllocateRoom, type QueryJsonExtras, writeQueryJson } from './json/write-query-json.ts'
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type QueryOptions,
  type RangeTimes,
} from './exec/engine.ts'
export * from './exec/errors.ts'
export { ParseCache } from './exec/parse-cache.ts'
export type { Explanation, NodeMeasurement, PlanNode } from './exec/explain.ts'
export type { RangeCacheStats } from './exec/range-cache.ts'
export * from './exec/result.ts'
export { histogramScriptText } from './histogram/format.ts'
export { MemoryStorage } from './testing/memory-storage.ts'
export { parseSeriesLine, type ScriptSeries, type ScriptValue } from './testing/script-values.ts'
