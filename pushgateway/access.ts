import { createHash, timingSafeEqual } from 'node:crypto'
import { PushAccessError } from './errors.ts'

/** Who may push. Each token is for some jobs; without tokens everybody may push everything. */
export interface PushToken {
  /** The token itself, or `sha256:` and its SHA-256 in hexadecimal digits, so that the file holds no secret. */
  readonly token: string
  /** Names of jobs, `*` standing for any text. Absent: every job, deleting in bulk and wiping too. */
  readonly jobs?: readonly string[]
}

export class PushAccess {
  readonly #tokens: readonly { readonly digest: Buffer; readonly jobs: RegExp | undefined }[]

  constructor(tokens: readonly PushToken[]) {
    this.#tokens = tokens.map(({ token, jobs }) => ({ digest: digestOf(token), jobs: jobs && jobPattern(jobs) }))
  }

  /**
   * @param authorization header; `Bearer <token>`, or `Basic` with the token as the password, which every client can send
   * @param job `undefined` for what concerns all jobs
   * @throws {PushAccessError} 401 without a known token, 403 where it is for other jobs
   */
  require(authorization: string | undefined, job: string | undefined): void {
    if (this.#tokens.length === 0) return
    const given = tokenOf(authorization ?? '')
    const digest = createHash('sha256').update(given).digest()
    const known = this.#tokens.filter((token) => timingSafeEqual(token.digest, digest))
    if (given === '' || known.length === 0) throw new PushAccessError('a push token is needed', 401)
    const isAllowed = known.some(({ jobs }) => jobs === undefined || (job !== undefined && jobs.test(job)))
    if (isAllowed) return
    throw new PushAccessError(
      job === undefined ? 'the token is for single jobs only' : `the token is not for job ${JSON.stringify(job)}`,
      403,
    )
  }
}

function digestOf(token: string): Buffer {
  const hex = /^sha256:([0-9a-fA-F]{64})$/.exec(token)?.[1]
  return hex === undefined ? createHash('sha256').update(token).digest() : Buffer.from(hex, 'hex')
}

function jobPattern(jobs: readonly string[]): RegExp {
  const escaped = jobs.map((job) => job.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'))
  return new RegExp(`^(?:${escaped.join('|')})$`, 's')
}

function tokenOf(authorization: string): string {
  const [scheme = '', value = ''] = authorization.split(' ', 2)
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return ''
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}
