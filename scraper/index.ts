// Discovers targets, scrapes them on time and writes their samples as rows, one group a target.
export * from './config.ts'
export { type Discovery, parseTargetList, type TargetGroup, TargetListError } from './discovery/discovery.ts'
export { compileRelabel, type Relabel, RelabelError } from './relabel/relabel.ts'
export {
  type ActiveTarget,
  createScrapeManager,
  type DroppedTarget,
  type ScrapeManager,
  type ScrapeManagerParts,
  type TargetMetadata,
} from './scrape/scrape-manager.ts'
export { ScrapeLimitError } from './scrape/series-labels.ts'
export { SampleLimitError } from './scrape/target-rows.ts'
export { type InProcessTarget, ScrapeAnswerError } from './scrape/transport.ts'
