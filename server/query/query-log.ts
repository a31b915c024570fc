import { createWriteStream, type WriteStream } from 'node:fs'
import { errorMessage, type Logger } from '../../lib/index.ts'
import type { QueryOrigin } from '../../model/index.ts'
import type { EvaluationStats } from '../../promql/index.ts'

/** A query that has ended. */
export interface LoggedQuery {
  readonly expr: string
  readonly startMs: number
  readonly endMs: number
  /** 0 for an instant query. */
  readonly stepMs: number
  readonly stats?: EvaluationStats | undefined
  readonly error?: unknown
  /** Who asked: one of both. */
  readonly httpRequest?: { readonly clientIP: string; readonly method: string; readonly path: string }
  readonly ruleGroup?: QueryOrigin | undefined
}

/** `global.query_log_file`: every finished query, one JSON object a line, in Prometheus' form. Without a file nothing is written. */
export class QueryLog {
  readonly #logger: Logger
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
    this.#stream = undefined
    if (path === '') return
    const stream = createWriteStream(path, { flags: 'a' })
    this.#stream = stream
    stream.on('error', (err) => {
      this.#logger.error({ err, path }, 'the query log cannot be written')
      // Another may have taken its place meanwhile.
      if (this.#stream === stream) this.#stream = undefined
    })
  }

  write(query: LoggedQuery, nowMs: number): void {
    if (this.#stream === undefined) return
    const { expr, startMs, endMs, stepMs, stats, error, httpRequest, ruleGroup } = query
    const entry = {
      params: { query: expr, start: dateOf(startMs), end: dateOf(endMs), step: Math.floor(stepMs / 1000) },
      ts: dateOf(nowMs),
      error: error === undefined ? undefined : errorMessage(error),
      stats: stats && statsJson(stats),
      httpRequest,
      ruleGroup,
    }
    this.#stream.write(`${JSON.stringify(entry)}\n`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => (this.#stream ? this.#stream.end(() => resolve()) : resolve()))
  }
}

/** As far as dates go; beyond there are only years of more digits than anybody reads. */
function dateOf(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs / 1000) : date.toISOString()
}

function statsJson({ timings, samples }: EvaluationStats): object {
  const { execQueueTime = 0, evalTotalTime } = timings
  return { timings: { ...timings, execQueueTime, execTotalTime: evalTotalTime + execQueueTime }, samples }
}
