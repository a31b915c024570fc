/** What is wrong with scrape jobs that only shows across keys, or across files. */
import type { ConfigFile, ScrapeFile } from './schema.ts'

const INTERVAL_DEFAULT_MS = 60_000
const ESCAPES_OF_LEGACY = 'allow-utf-8 does not go with legacy validation'

export type FaultPath = readonly (string | number)[]
export type FaultAt = (path: FaultPath, why: string) => string

/** Jobs of one file, and how to say where they stand. */
export interface JobsOfFile {
  readonly jobs: readonly ScrapeFile[]
  readonly fault: FaultAt
}

export function globalFaults(global: ConfigFile['global'], fault: FaultAt): string[] {
  const faults: string[] = []
  const intervalMs = global?.scrape_interval ?? INTERVAL_DEFAULT_MS
  if (global?.scrape_timeout !== undefined && global.scrape_timeout > intervalMs) {
    faults.push(fault(['global', 'scrape_timeout'], 'global scrape timeout greater than scrape interval'))
  }
  if (global?.metric_name_validation_scheme === 'legacy' && global.metric_name_escaping_scheme === 'allow-utf-8') {
    faults.push(fault(['global', 'metric_name_escaping_scheme'], ESCAPES_OF_LEGACY))
  }
  return faults
}

/** @param files the main file first; job names are unique over all of them */
export function jobFaults(global: ConfigFile['global'], files: readonly JobsOfFile[]): string[] {
  const faults: string[] = []
  const globalIntervalMs = global?.scrape_interval ?? INTERVAL_DEFAULT_MS
  const seen = new Set<string>()
  for (const { jobs, fault } of files) {
    for (const [index, job] of jobs.entries()) {
      const at = (key: string, why: string): void => void faults.push(fault(['scrape_configs', index, key], why))
      const name = JSON.stringify(job.job_name)
      if (seen.has(job.job_name)) at('job_name', `found multiple scrape configs with job name ${name}`)
      seen.add(job.job_name)
      const intervalMs = job.scrape_interval ?? globalIntervalMs
      if (intervalMs === 0) at('scrape_interval', 'the scrape interval must not be zero')
      if (job.scrape_timeout !== undefined && job.scrape_timeout > intervalMs) {
        at('scrape_timeout', `scrape timeout greater than scrape interval for scrape config with job name ${name}`)
      }
      const validation = job.metric_name_validation_scheme ?? global?.metric_name_validation_scheme
      const escaping = job.metric_name_escaping_scheme ?? global?.metric_name_escaping_scheme
      if (validation === 'legacy' && escaping === 'allow-utf-8') at('metric_name_escaping_scheme', ESCAPES_OF_LEGACY)
    }
  }
  return faults
}
