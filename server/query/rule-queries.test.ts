import { expect, test } from 'vitest'
import type { QueryPool } from './query-pool.ts'
import type { BatchRequest } from './query-worker.ts'
import { batchedRuleQueries } from './rule-queries.ts'

const poolOf = (run: (request: BatchRequest) => Promise<unknown>): Pick<QueryPool, 'run'> => ({
  run: ((_method: string, params: object) => run(params as BatchRequest)) as QueryPool['run'],
})

test('queries asked at the same moment travel together, in parts of at most 64, and each has its own answer', async () => {
  const sizes: number[] = []
  const query = batchedRuleQueries(
    poolOf(async ({ queries }) => {
      sizes.push(queries.length)
      return queries.map(({ expr, timeMs }) =>
        expr === 'bad'
          ? { error: 'no such thing' }
          : { value: { type: 'scalar', timestampMs: timeMs, value: Number(expr) } },
      )
    }),
    1000,
  )
  const asked = Array.from({ length: 100 }, (_, i) => query(i === 7 ? 'bad' : String(i), i))
  const answers = await Promise.allSettled(asked)
  expect(sizes).toEqual([64, 36])
  expect(answers[99]).toMatchObject({ status: 'fulfilled', value: { value: 99, timestampMs: 99 } })
  expect(answers[7]).toMatchObject({ status: 'rejected', reason: { message: 'no such thing', code: 'ERR_RULE_QUERY' } })
  await query('1', 0)
  expect(sizes).toEqual([64, 36, 1])
})

test('what the pool refuses is refused to each', async () => {
  const query = batchedRuleQueries(
    poolOf(() => Promise.reject(new Error('the server is stopping'))),
    1000,
  )
  const answers = await Promise.allSettled([query('a', 0), query('b', 0)])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
