import { expect, test } from 'vitest'
import type { InstantValue, Labels } from '../../model/index.ts'
import type { QueryPool } from './query-pool.ts'
import type { BatchRequest } from './query-worker.ts'
import { AnswerPacker, type BatchAnswer, type PackedAnswers } from './rule-answers.ts'
import { batchedRuleQueries } from './rule-queries.ts'

const poolOf = (run: (request: BatchRequest) => Promise<unknown>): Pick<QueryPool, 'run'> => ({
  run: ((_method: string, params: object) => run(params as BatchRequest)) as QueryPool['run'],
})

/** Workers that take turns, each behind a real copy of what is sent; counts the label lists that travel. */
function poolOfWorkers(count: number, answer: (expr: string, timeMs: number) => BatchAnswer) {
  const packers = Array.from({ length: count }, () => new AnswerPacker())
  const seen = { listsSent: 0, turns: 0 }
  const pool = poolOf(async ({ queries }) => {
    const packer = packers[seen.turns++ % count]!
    const packed = packer.pack(queries, ({ expr, timeMs }) => answer(expr, timeMs))
    seen.listsSent += packed.newLists.size
    return structuredClone(packed) satisfies PackedAnswers
  })
  return { query: batchedRuleQueries(pool, 1000), seen }
}

const vector = (...elements: [Labels, number][]): BatchAnswer => ({
  value: {
    type: 'vector',
    samples: elements.map(([labels, value]) => ({ labels: [...labels], timestampMs: 5, value })),
  },
})

const samplesOf = (answer: InstantValue) => (answer.type === 'vector' ? answer.samples : [])

test('queries asked at the same moment travel together, in parts of at most 128, and each has its own answer', async () => {
  const sizes: number[] = []
  const packer = new AnswerPacker()
  const query = batchedRuleQueries(
    poolOf(async ({ queries }) => {
      sizes.push(queries.length)
      return packer.pack(
        queries,
        ({ expr, timeMs }): BatchAnswer =>
          expr === 'bad'
            ? { error: 'no such thing' }
            : { value: { type: 'scalar', timestampMs: timeMs, value: Number(expr) } },
      )
    }),
    1000,
  )
  const asked = Array.from({ length: 200 }, (_, i) => query(i === 7 ? 'bad' : String(i), i))
  const answers = await Promise.allSettled(asked)
  expect(sizes).toEqual([128, 72])
  expect(answers[199]).toMatchObject({ status: 'fulfilled', value: { value: 199, timestampMs: 199 } })
  expect(answers[7]).toMatchObject({ status: 'rejected', reason: { message: 'no such thing', code: 'ERR_RULE_QUERY' } })
  await query('1', 0)
  expect(sizes).toEqual([128, 72, 1])
})

test('labels travel once; until they change every answer has the same objects, whichever worker gave it', async () => {
  const { query, seen } = poolOfWorkers(2, (expr, timeMs) =>
    expr === 'a' ? vector([['x', '1'], timeMs], [['x', '2'], 2]) : vector([['y', '1'], timeMs]),
  )
  const first = await Promise.all([query('a', 5), query('b', 5)])
  expect(first.map(samplesOf)).toEqual([
    [
      { labels: ['x', '1'], timestampMs: 5, value: 5 },
      { labels: ['x', '2'], timestampMs: 5, value: 2 },
    ],
    [{ labels: ['y', '1'], timestampMs: 5, value: 5 }],
  ])
  for (const timeMs of [6, 7]) {
    const later = await Promise.all([query('a', timeMs), query('b', timeMs)])
    expect(samplesOf(later[0]).map(({ value }) => value)).toEqual([timeMs, 2])
    expect(samplesOf(later[1])[0]).toMatchObject({ timestampMs: timeMs, value: timeMs })
    for (const [i, answer] of later.entries()) {
      for (const [j, { labels }] of samplesOf(answer).entries()) expect(labels).toBe(samplesOf(first[i]!)[j]!.labels)
    }
  }
  expect(seen).toEqual({ listsSent: 2, turns: 3 })
})

test('changed, reordered and vanished series are told, and those that come back', async () => {
  const answers: BatchAnswer[] = [
    vector([['x', '1'], 1], [['x', '2'], 2]),
    vector([['x', '2'], 3], [['x', '1'], 4]),
    vector(),
    vector([['x', '1'], 5]),
    { error: 'broken' },
    vector([['x', '1'], 6]),
  ]
  const { query } = poolOfWorkers(1, (_, timeMs) => answers[timeMs]!)
  const seen: unknown[] = []
  for (const timeMs of answers.keys()) {
    const answer = await query('a', timeMs).catch((error: Error) => error.message)
    seen.push(
      typeof answer === 'string' ? answer : samplesOf(answer).map(({ labels, value }) => [labels.join('='), value]),
    )
  }
  expect(seen).toEqual([
    [
      ['x=1', 1],
      ['x=2', 2],
    ],
    [
      ['x=2', 3],
      ['x=1', 4],
    ],
    [],
    [['x=1', 5]],
    'broken',
    [['x=1', 6]],
  ])
})

test('vectors with histograms and rules of one expression at once come through whole', async () => {
  const histogram = { count: 3 } as never
  const { query } = poolOfWorkers(2, (expr) =>
    expr === 'h'
      ? { value: { type: 'vector', samples: [{ labels: ['x', '1'], timestampMs: 5, value: Number.NaN, histogram }] } }
      : vector([['x', '1'], 1]),
  )
  const answers = await Promise.all([query('h', 5), query('a', 5), query('a', 5)])
  expect(samplesOf(answers[0]!)[0]).toMatchObject({ labels: ['x', '1'], histogram: { count: 3 } })
  expect(samplesOf(answers[2]!)).toEqual(samplesOf(answers[1]!))
})

test('what the pool refuses is refused to each', async () => {
  const query = batchedRuleQueries(
    poolOf(() => Promise.reject(new Error('the server is stopping'))),
    1000,
  )
  const answers = await Promise.allSettled([query('a', 0), query('b', 0)])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
