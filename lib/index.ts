// What every part needs and that knows nothing of metrics.
export * from './clock.ts'
export * from './errors.ts'
export * from './http-client.ts'
export * from './log.ts'
export * from './metrics.ts'
export * from './worker.ts'
export * from './yaml-config.ts'
