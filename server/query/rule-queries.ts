import { AppError, type Clock } from '../../lib/index.ts'
import type { EvaluationStats } from '../../promql/index.ts'
import type { InstantValue, QueryFunction, QueryOrigin } from '../../model/index.ts'
import type { QueryPool } from './query-pool.ts'
import type { BatchRequest } from './query-worker.ts'
import type { QueryLog } from './query-log.ts'
import { AnswerUnpacker, type BatchAnswer, type LabelList, type PackedAnswers } from './rule-answers.ts'

/** So many queries make one journey between threads; more would keep a person's query waiting. */
const BATCH_MAX = 128

interface Waiting {
  readonly expr: string
  readonly timeMs: number
  readonly origin: QueryOrigin | undefined
  /** Of its last answer. */
  readonly list: LabelList | undefined
  resolve(value: InstantValue): void
  reject(error: Error): void
}

/** A rule's expression could not be evaluated; the message is Prometheus'. */
class RuleQueryError extends AppError {
  override readonly code = 'ERR_RULE_QUERY'
  override readonly httpStatus = 422
}

/**
 * Rules' queries: those that are asked at the same moment travel to a worker together. Vectors of one expression have the very
 * same label objects for as long as their labels do not change.
 */
export function batchedRuleQueries(
  pool: Pick<QueryPool, 'run'>,
  timeoutMs: number,
  log?: { readonly queryLog: QueryLog; readonly clock: Clock },
): QueryFunction {
  const unpacker = new AnswerUnpacker()
  let waiting: Waiting[] = []
  const send = (): void => {
    const all = waiting
    waiting = []
    for (let at = 0; at < all.length; at += BATCH_MAX) void run(all.slice(at, at + BATCH_MAX))
  }
  const write = ({ expr, timeMs, origin }: Waiting, answer: BatchAnswer, stats?: EvaluationStats): void => {
    const times = { startMs: timeMs, endMs: timeMs, stepMs: 0 }
    const outcome = 'error' in answer ? { error: answer.error } : { stats }
    log!.queryLog.write({ expr, ...times, ...outcome, ruleGroup: origin }, log!.clock.nowMs())
  }
  const run = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const queries = batch.map(({ expr, timeMs, list }) => ({ expr, timeMs, listId: list?.id ?? 0 }))
      const isLogged = log?.queryLog.isOn === true
      const request: BatchRequest = { queries, timeoutMs, ...(isLogged && { isLogged }) }
      const packed = await pool.run<PackedAnswers>('instantValues', request, { queryClass: 'rule' })
      for (const [i, answer] of unpacker.unpack(batch, packed).entries()) {
        if (isLogged) write(batch[i]!, answer, packed.stats?.[i])
        if ('value' in answer) batch[i]!.resolve(answer.value)
        else batch[i]!.reject(new RuleQueryError(answer.error))
      }
    } catch (error) {
      for (const one of batch) one.reject(error as Error)
    }
  }
  return (expr, timeMs, origin) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) queueMicrotask(send)
      waiting.push({ expr, timeMs, origin, list: unpacker.listOf(expr), resolve, reject })
    })
}
