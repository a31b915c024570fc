// Discovers targets, scrapes them on time and writes their samples as rows, one group a target.
export * from './config.ts'
export { awsSignedClient } from './discovery/aws/signed-client.ts'
export { type TargetSources, watchTargets } from './discovery/target-sources.ts'
export {
  OPERATOR_KINDS,
  type OperatorConfig,
  type OperatorKind,
  type OperatorObjects,
  watchOperator,
} from './operator/operator.ts'
export { compileRelabel } from './relabel/relabel.ts'
export { type ActiveTarget, createScrapeManager, type ScrapeManager } from './scrape/scrape-manager.ts'
export type { InProcessTarget } from './scrape/transport.ts'
export { createHostExporter, type HostExporter, type HostExporterOptions } from './exporters/host/index.ts'
export {
  createProber,
  defaultProbeModules,
  parseProbeConfig,
  type Prober,
  type ProbeModules,
} from './exporters/probe/index.ts'
