// `--enable-feature` reaches everything that reads an expression: queries on either thread, the printer, rules.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { featureWarnings } from '../feature-names.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const FEATURES = [
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'promql-per-step-stats',
]
const NOW = Math.floor(Date.now() / 1000)
const RULES = 'groups: [{ name: g, interval: 1s, rules: [{ record: least, expr: "limitk(1, load)" }] }]\n'
const CONFIG = 'rule_files: [rules.yml]\n'

let server: TestServer
let plain: TestServer

beforeAll(async () => {
  server = await startTestServer({ 'enable-feature': FEATURES.join() })
  plain = await startTestServer()
  const samples = ['1', '2'].flatMap((i) =>
    [120, 60, 0].map((ago) => ({
      labels: ['__name__', 'load', 'i', i],
      timestampMs: (NOW - ago) * 1000,
      value: Number(i) - ago,
    })),
  )
  for (const one of [server, plain]) await one.write(samples)
})

afterAll(async () => {
  await server.stop()
  await plain.stop()
})

async function ask({ url }: TestServer, endpoint: string, parameters: Record<string, string>) {
  const answer = await fetch(`${url}/api/v1/${endpoint}?${new URLSearchParams({ time: String(NOW), ...parameters })}`)
  return { status: answer.status, body: (await answer.json()) as { data: any; error?: string; warnings?: string[] } }
}

describe.each([
  ['limitk(1, load)', 1],
  ['sort_by_label(load, "i")', 2],
  ['increase(load[1m] anchored)', 2],
  ['load + fill(3) nothing', 2],
  ['info(load)', 2],
])('%s', (query, count) => {
  test('is answered', async () => {
    // Often enough for it to be known as tiny.
    for (let i = 0; i < 10; i++) {
      const { status, body } = await ask(server, 'query', { query })
      expect(body.error).toBeUndefined()
      expect([status, body.data.result.length]).toEqual([200, count])
    }
    const range = { query, start: String(NOW - 10), end: String(NOW), step: '5' }
    expect((await ask(server, 'query_range', range)).status).toBe(200)
    for (const endpoint of ['format_query', 'parse_query', 'query_exemplars']) {
      expect((await ask(server, endpoint, { query })).status, endpoint).toBe(200)
    }
    const explained = await fetch(`${server.url}/api/belltower/v1/explain?${new URLSearchParams({ query })}`)
    expect(explained.status).toBe(200)
  })

  test('is refused without the feature', async () => {
    const { status, body } = await ask(plain, 'query', { query })
    expect([status, body.error]).toEqual([
      400,
      expect.stringMatching(/invalid parameter "query": .*not enabled|enable-feature/),
    ])
  })
})

test('names are dropped at the end', async () => {
  const query = 'label_replace(-load, "name", "$1", "__name__", "(.*)")'
  const name = async (one: TestServer) => (await ask(one, 'query', { query })).body.data.result[0].metric.name
  expect([await name(server), await name(plain)]).toEqual(['load', undefined])
})

test('samples of each step are counted for stats=all', async () => {
  const perStep = async (one: TestServer, stats: string) => {
    const { body } = await ask(one, 'query', { query: 'load', stats })
    return body.data.stats.samples.totalQueryableSamplesPerStep
  }
  expect(await perStep(server, 'all')).toEqual([[NOW, 2]])
  expect(await perStep(server, 'true')).toBeUndefined()
  expect(await perStep(plain, 'all')).toBeUndefined()
})

test('values of stats that will be refused one day are warned of', async () => {
  const { body } = await ask(plain, 'query', { query: 'load', stats: '1' })
  expect(body.data.stats).toBeDefined()
  const why = 'is deprecated and will be rejected in the next major release, use "true" or "all"'
  expect(body.warnings).toEqual([`value "1" for parameter "stats" ${why}`])
})

test('rules may use them', async () => {
  for (const { folder } of [server, plain]) {
    writeFileSync(join(folder, 'rules.yml'), RULES)
    writeFileSync(join(folder, 'prometheus.yml'), CONFIG)
  }
  await server.stack.reload()
  await expect
    .poll(async () => (await ask(server, 'query', { query: 'least', time: '' })).body.data.result, { timeout: 10_000 })
    .toHaveLength(1)
  await expect(plain.stack.reload()).rejects.toThrow('limitk() is experimental')
})

test('features that nothing acts on are warned of', () => {
  expect(featureWarnings(new Set(['', ...FEATURES, 'exemplar-storage', 'search-api']))).toEqual([
    'feature search-api of --enable-feature has no effect here',
  ])
})
