import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** From package.json, which lies one folder above the sources and two above the built code. */
function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const text = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
      return (JSON.parse(text) as { version: string }).version
    } catch {
      // Not there: the next place.
    }
  }
  return '0.0.0'
}

export const VERSION = readVersion()

/** As `/api/v1/status/buildinfo` and `/version` show it. Without `features`: clients would take that for another product. */
export const BUILD_INFO: Readonly<Record<string, string>> = {
  version: VERSION,
  revision: '',
  branch: '',
  buildUser: '',
  buildDate: '',
  goVersion: `node ${process.version}`,
}
