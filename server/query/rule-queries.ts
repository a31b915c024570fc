import { AppError } from '../../lib/index.ts'
import type { InstantValue, QueryFunction } from '../../model/index.ts'
import type { QueryPool } from './query-pool.ts'
import type { BatchAnswer, BatchRequest } from './query-worker.ts'

/** So many queries make one journey between threads; more would keep a person's query waiting. */
const BATCH_MAX = 64

interface Waiting {
  readonly expr: string
  readonly timeMs: number
  resolve(value: InstantValue): void
  reject(error: Error): void
}

/** A rule's expression could not be evaluated; the message is Prometheus'. */
class RuleQueryError extends AppError {
  override readonly code = 'ERR_RULE_QUERY'
  override readonly httpStatus = 422
}

/** Rules' queries: those that are asked at the same moment travel to a worker together. */
export function batchedRuleQueries(pool: Pick<QueryPool, 'run'>, timeoutMs: number): QueryFunction {
  let waiting: Waiting[] = []
  const send = (): void => {
    const all = waiting
    waiting = []
    for (let at = 0; at < all.length; at += BATCH_MAX) void runBatch(pool, all.slice(at, at + BATCH_MAX), timeoutMs)
  }
  return (expr, timeMs) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) queueMicrotask(send)
      waiting.push({ expr, timeMs, resolve, reject })
    })
}

async function runBatch(pool: Pick<QueryPool, 'run'>, batch: readonly Waiting[], timeoutMs: number): Promise<void> {
  try {
    const queries = batch.map(({ expr, timeMs }) => ({ expr, timeMs }))
    const request: BatchRequest = { queries, timeoutMs }
    const answers = await pool.run<BatchAnswer[]>('instantValues', request, { queryClass: 'rule' })
    for (const [i, one] of batch.entries()) {
      const answer = answers[i]!
      if ('value' in answer) one.resolve(answer.value)
      else one.reject(new RuleQueryError(answer.error))
    }
  } catch (error) {
    for (const one of batch) one.reject(error as Error)
  }
}
