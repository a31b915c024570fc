// Discovers targets, scrapes them on time and writes their samples as rows, one group a target.
export * from './config.ts'
export { compileRelabel } from './relabel/relabel.ts'
export { type ActiveTarget, createScrapeManager, type ScrapeManager } from './scrape/scrape-manager.ts'
export type { InProcessTarget } from './scrape/transport.ts'
export { createHostExporter, type HostExporter, type HostExporterOptions } from './exporters/host/index.ts'
export {
  createProber,
  DEFAULT_PROBE_MODULES,
  parseProbeConfig,
  type Prober,
  type ProbeModules,
} from './exporters/probe/index.ts'
