// Discovers targets, scrapes them on time and writes their samples as rows, one group a target.
export * from './config.ts'
