import { createWriteStream, type WriteStream } from 'node:fs'
import type { Clock, Logger } from '../../lib/index.ts'

/** Failed scrapes as lines of JSON, appended to a file: what `scrape_failure_log_file` names. */
export class FailureLog {
  readonly #clock: Clock
  readonly #stream: WriteStream
  #isBroken = false

  constructor(path: string, { clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock
    this.#stream = createWriteStream(path, { flags: 'a' })
    this.#stream.on('error', (error) => {
      this.#isBroken = true
      logger.error({ err: error, path }, 'the file for failed scrapes cannot be written')
    })
  }

  add(jobName: string, target: string, why: string): void {
    if (this.#isBroken) return
    const time = new Date(this.#clock.nowMs()).toISOString()
    this.#stream.write(`${JSON.stringify({ time, level: 'ERROR', msg: why, job_name: jobName, target })}\n`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => (this.#isBroken ? resolve() : this.#stream.end(() => resolve())))
  }
}
