// `query_log_file` of a whole server: people's queries and rules', rotation, a place that cannot be written.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/server.ts'

const config = (log: string): string => `global: { query_log_file: ${log} }\nrule_files: [rules.yml]\n`
const RULES = `
groups:
  - name: logged
    interval: 1s
    rules:
      - { record: one, expr: vector(1) }
      - { record: never, expr: 'label_replace(vector(1), "", "", "", "")' }
`

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  writeFileSync(join(server.folder, 'rules.yml'), RULES)
})

afterAll(() => server.stop())

async function logTo(log: string): Promise<void> {
  writeFileSync(join(server.folder, 'prometheus.yml'), config(log))
  await server.stack.reload()
}

interface Line {
  readonly params: { readonly query: string; readonly start: string; readonly step: number }
  readonly error?: string
  readonly stats?: { readonly timings: Readonly<Record<string, number>> }
  readonly ruleGroup?: { readonly file: string; readonly name: string }
  readonly httpRequest?: object
}

function lines(log: string): Line[] {
  try {
    const text = readFileSync(join(server.folder, log), 'utf8')
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
  } catch {
    return []
  }
}

const ask = (query: string): Promise<Response> =>
  fetch(`${server.url}/api/v1/query?${new URLSearchParams({ query, time: '9e13' })}`)
const find = (log: string, query: string) => lines(log).find(({ params }) => params.query === query)

test('queries of rules name their group, all have their times', async () => {
  await logTo('a.log')
  await ask('1 + 1')
  await expect.poll(() => find('a.log', '1 + 1')).toBeDefined()
  const { stats, httpRequest } = find('a.log', '1 + 1')!
  expect(httpRequest).toMatchObject({ path: '/api/v1/query' })
  const { evalTotalTime = 0, execQueueTime = 0, execTotalTime = 0 } = stats!.timings
  expect(evalTotalTime).toBeGreaterThan(0)
  expect(execTotalTime).toBeCloseTo(evalTotalTime + execQueueTime)

  await expect.poll(() => find('a.log', 'vector(1)'), { timeout: 10_000 }).toBeDefined()
  const ruleGroup = { file: join(server.folder, 'rules.yml'), name: 'logged' }
  const rule = find('a.log', 'vector(1)')!
  expect(rule).toMatchObject({
    ruleGroup,
    params: { step: 0 },
    stats: { timings: { evalTotalTime: expect.any(Number) } },
  })
  const failing = (): Line | undefined => lines('a.log').find(({ params }) => params.query.startsWith('label_replace'))
  await expect.poll(failing, { timeout: 10_000 }).toBeDefined()
  const failed = failing()!
  expect(failed).toMatchObject({ ruleGroup, error: 'invalid destination label name in label_replace(): ' })
  expect(failed).not.toHaveProperty('stats')
})

test('a reload opens it anew for those who rotate it', async () => {
  await logTo('a.log')
  renameSync(join(server.folder, 'a.log'), join(server.folder, 'a.log.1'))
  await server.stack.reload()
  await ask('2 + 2')
  await expect.poll(() => find('a.log', '2 + 2')).toBeDefined()
  expect(find('a.log.1', '2 + 2')).toBeUndefined()
})

test('where it cannot be written, queries are answered, and the next reload mends it', async () => {
  mkdirSync(join(server.folder, 'folder'))
  await logTo('folder')
  expect((await ask('3 + 3')).status).toBe(200)
  // The failure of the former must not end this one.
  await logTo('b.log')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await ask('4 + 4')
  await expect.poll(() => find('b.log', '4 + 4')).toBeDefined()
})
