// What every part needs and that knows nothing of metrics. Modules that load a large package (log, lz4, metrics, undici-client,
// yaml-config) are imported by file where they are used, so that a worker thread does not load what it never calls.
export * from './clock.ts'
export * from './errors.ts'
export * from './http-client.ts'
export type { LogFormat, Logger, LogLevel } from './log.ts'
export type { Counter, Gauge, Histogram, Registry, Summary } from './metrics.ts'
export * from './plain-http-client.ts'
export * from './plain-request.ts'
export * from './rpc.ts'
export * from './worker.ts'
export * from './xxhash64.ts'
export type { ParsedConfig } from './yaml-config.ts'
