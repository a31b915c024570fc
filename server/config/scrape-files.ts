/** `scrape_config_files`: more scrape jobs, each file with a list of its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errorMessage, type ParsedConfig } from '../../lib/index.ts'
import { ConfigError } from '../../lib/yaml-config.ts'
import type { ConfigReader } from './config-reader.ts'
import type { ScrapeFileList } from './schema.ts'

export interface ScrapeConfigFile {
  readonly path: string
  readonly parsed: ParsedConfig<ScrapeFileList>
}

/**
 * @param patterns absolute; `*`, `?` and `[…]` in the last segment. A pattern that matches nothing is no fault
 * @throws {ConfigError} with the faults of all files
 */
export async function readScrapeConfigFiles(
  patterns: readonly string[],
  reader: ConfigReader,
): Promise<ScrapeConfigFile[]> {
  const faults: string[] = []
  const files: ScrapeConfigFile[] = []
  for (const path of patterns.flatMap(expand)) {
    try {
      files.push({ path, parsed: await reader.read('scrapeFile', path, readText(path)) })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      faults.push(...error.faults)
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return files
}

function expand(pattern: string): string[] {
  const name = basename(pattern)
  if (!/[*?[]/.test(name)) return [pattern]
  const folder = dirname(pattern)
  const regex = new RegExp(
    `^${name.replace(/\[[^\]]*\]|[*?]|[.+^${}()|\\]/g, (part) =>
      part === '*' ? '.*' : part === '?' ? '.' : part.startsWith('[') ? part : `\\${part}`,
    )}$`,
  )
  try {
    return readdirSync(folder)
      .filter((file) => regex.test(file))
      .sort()
      .map((file) => join(folder, file))
  } catch {
    // A folder that is not there holds no file that matches.
    return []
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError([`${path}:1:1: cannot be read: ${errorMessage(cause)}`])
  }
}
