import { createWriteStream, type WriteStream } from 'node:fs'
import type { Logger } from '../../lib/index.ts'

/** One line of the log, in Prometheus' form. */
export interface QueryLogEntry {
  readonly params: { readonly query: string; readonly start: string; readonly end: string; readonly step: number }
  readonly ts: string
  readonly stats?: unknown
  readonly error?: string
  readonly httpRequest?: { readonly clientIP: string; readonly method: string; readonly path: string }
}

/** `global.query_log_file`: every finished query, one JSON object a line. Without a file nothing is written. */
export class QueryLog {
  readonly #logger: Logger
  #path = ''
  #stream: WriteStream | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get isOn(): boolean {
    return this.#stream !== undefined
  }

  /** Also opens the file anew when the path is the same, for those who rotate it. @param path '' = off */
  configure(path: string): void {
    this.#stream?.end()
    this.#path = path
    this.#stream = undefined
    if (path === '') return
    this.#stream = createWriteStream(path, { flags: 'a' })
    this.#stream.on('error', (err) => {
      this.#logger.error({ err, path: this.#path }, 'the query log cannot be written')
      this.#stream = undefined
    })
  }

  write(entry: QueryLogEntry): void {
    this.#stream?.write(`${JSON.stringify(entry)}\n`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => (this.#stream ? this.#stream.end(() => resolve()) : resolve()))
  }
}
