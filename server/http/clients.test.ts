// The calls that Grafana's data source makes, and the programs that Debian ships, against us and a real Prometheus that holds the
// same samples: shapes, codes and error texts must be the same.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeSnappy, labelsFromRecord, ProtoWriter, writeLabelPairs } from '../../model/index.ts'
import { freePort, hasProgram, startProgram } from '../../tests/support/programs.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const hasPrometheus = hasProgram('prometheus')
if (!hasPrometheus) console.log('skipped: needs prometheus on PATH (Debian: apt install prometheus)')
const hasVmalert = hasProgram('vmalert')
if (!hasVmalert) console.log('skipped: needs vmalert on PATH (Debian: apt install victoria-metrics)')

// On a step of every query below.
const END = Math.floor(Date.now() / 60_000) * 60
const START = END - 600

/** A counter and a gauge of three instances, one of which has gone. */
function samples(): Uint8Array {
  const writer = new ProtoWriter()
  for (const instance of ['a', 'b', 'c']) {
    for (const [name, slope] of [
      ['http_requests_total', 7],
      ['load', 0.1],
    ] as const) {
      const series = writer.open(1)
      writeLabelPairs(writer, labelsFromRecord({ __name__: name, instance, job: 'app' }))
      // Off the queries' steps: what lies exactly at the edge of a range is in it in 2.x and not in 3.x.
      for (let at = START + 7; at <= (instance === 'c' ? START + 120 : END); at += 15) {
        const mark = writer.open(2)
        writer.double(1, (at - START) * slope * instance.charCodeAt(0))
        writer.int64(2, at * 1000)
        writer.close(mark)
      }
      writer.close(series)
    }
  }
  return encodeSnappy(writer.finish())
}

let ours: TestServer
let theirs: string
let folder: string
let stop: (() => Promise<void>) | undefined

async function ready(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} is not ready`)
}

beforeAll(async () => {
  ours = await startTestServer({ 'web.enable-remote-write-receiver': 'true' }, '')
  folder = mkdtempSync(join(tmpdir(), 'belltower-clients-'))
  const urls = [ours.url]
  if (hasPrometheus) {
    writeFileSync(join(folder, 'prometheus.yml'), '')
    const address = `127.0.0.1:${await freePort()}`
    const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${address}`]
    stop = startProgram('prometheus', [...args, '--web.enable-remote-write-receiver'], folder).stop
    theirs = `http://${address}`
    await ready(theirs)
    urls.push(theirs)
  }
  for (const url of urls) {
    const answer = await fetch(`${url}/api/v1/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
      body: samples(),
    })
    expect(answer.status).toBe(204)
  }
}, 60_000)

afterAll(async () => {
  await stop?.()
  await ours.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Call = readonly [method: 'GET' | 'POST', path: string, parameters: Record<string, string>]

async function ask(url: string, [method, path, parameters]: Call) {
  const form = new URLSearchParams(parameters)
  const answer =
    method === 'POST'
      ? await fetch(`${url}/api/v1/${path}`, { method, body: form })
      : await fetch(`${url}/api/v1/${path}?${form}`)
  const text = await answer.text()
  const type = answer.headers.get('content-type') ?? ''
  return { status: answer.status, body: type.startsWith('application/json') ? normal(JSON.parse(text)) : text.trim() }
}

/**
 * Without what may differ: the order of instant vectors and series, the last digits of numbers, and the first letter of one
 * message, which became small with 3.0.
 */
function normal(body: { data?: unknown; error?: string }): unknown {
  const list = Array.isArray(body.data) ? body.data : (body.data as { result?: unknown } | undefined)?.result
  if (Array.isArray(list)) list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const text = JSON.stringify({ ...body, error: body.error?.replace('Invalid time value', 'invalid time value') })
  const rounded = text.replace(/"(-?[\d.]+(?:e[+-]\d+)?)"/g, (_, value: string) => `"${Number(value).toPrecision(9)}"`)
  return JSON.parse(rounded)
}

const range = { start: String(START), end: String(END), step: '60' }
const window = { start: String(START), end: String(END) }

const GRAFANA: readonly Call[] = [
  ['POST', 'query', { query: '1+1', time: '4' }],
  ['GET', 'query', { query: '1+1', time: '4' }],
  ['POST', 'query_range', { query: 'rate(http_requests_total[2m])', ...range }],
  ['GET', 'query_range', { query: 'sum by (job) (load)', ...range, timeout: '30s' }],
  ['POST', 'query', { query: 'topk(2, http_requests_total)', time: String(END) }],
  ['POST', 'query', { query: 'load', time: `${END}.25` }],
  ['POST', 'query_exemplars', { query: 'test', start: String(START * 1000), end: String(END * 1000) }],
  ['POST', 'labels', { 'match[]': 'load', ...window }],
  ['GET', 'labels', window],
  ['POST', 'series', { 'match[]': '{job="app"}', ...window }],
  ['GET', 'label/instance/values', { 'match[]': 'load', ...window }],
  ['GET', 'label/__name__/values', window],
  ['GET', 'metadata', {}],
  ['GET', 'metadata', { limit: '0' }],
  ['GET', 'rules', {}],
  ['GET', 'alerts', {}],
]

const WRONG: readonly Call[] = [
  ['GET', 'query', { query: 'load{' }],
  ['GET', 'query', { query: 'load', time: 'abc' }],
  ['GET', 'query', { query: 'load', timeout: 'abc' }],
  ['GET', 'query', { query: 'load', time: '2026-02-30T00:00:00Z' }],
  ['GET', 'query', { query: 'load', time: '2026-02-03T24:00:00Z' }],
  ['GET', 'query_range', { query: 'load', ...range, step: '0.0001' }],
  ['GET', 'query_range', { query: 'load', ...range, step: '0.0545' }],
  ['POST', 'query', { query: 'label_replace(load, "instance", "x", "", "")', time: String(END) }],
  ['GET', 'query_range', { query: 'load', ...range, step: '0' }],
  ['GET', 'query_range', { query: 'load', ...range, step: '' }],
  ['GET', 'query_range', { query: 'load', ...range, end: '1' }],
  ['GET', 'query_range', { query: 'load', ...range, start: '0' }],
  ['GET', 'query_range', { query: 'load[1m]', ...range }],
  ['GET', 'series', {}],
  ['GET', 'series', { 'match[]': '{a=""}' }],
  ['GET', 'series', { 'match[]': 'a{' }],
  ['GET', 'labels', { 'match[]': '{}' }],
  ['GET', 'labels', { 'match[]': '(' }],
  ['GET', 'label/job/values', { 'match[]': '{a=~".*"}' }],
  ['GET', 'labels', { 'match[]': 'a{', start: 'x' }],
  ['GET', 'query_exemplars', { query: 'x', start: '2', end: '1' }],
  ['GET', 'targets/metadata', { limit: 'x' }],
  ['GET', 'rules', { type: 'nonsense' }],
  ['POST', 'admin/tsdb/snapshot', {}],
  ['GET', 'targets/metadata', { match_target: '{job=' }],
  ['POST', 'label/job/values', {}],
  ['POST', 'rules', {}],
  ['GET', 'admin/tsdb/snapshot', {}],
  ['GET', 'nonsense', {}],
]

describe.skipIf(!hasPrometheus)('as a real Prometheus answers', () => {
  test.each(GRAFANA.map((call) => [call.slice(0, 2).join(' '), call[2], call] as const))(
    '%s %j',
    async (_, __, call) => {
      const expected = await ask(theirs, call)
      expect(expected.status).toBe(200)
      expect(await ask(ours.url, call)).toEqual(expected)
    },
  )

  test.each(WRONG.map((call) => [call.slice(0, 2).join(' '), call[2], call] as const))('%s %j', async (_, __, call) => {
    const expected = await ask(theirs, call)
    expect(expected.status).toBeGreaterThanOrEqual(400)
    expect(await ask(ours.url, call)).toEqual(expected)
  })
})

const run = promisify(execFile)

describe.skipIf(!hasProgram('promtool'))('promtool', () => {
  const both = async (args: (url: string) => string[]): Promise<void> => {
    const [mine, other] = await Promise.all([ours.url, theirs].map((url) => run('promtool', args(url))))
    const lines = (text: string): string[] => text.trim().split('\n').sort()
    expect(lines(mine!.stdout)).toEqual(lines(other!.stdout))
    expect(mine!.stdout).not.toBe('')
  }
  const at = `--time=${END}`

  test('query instant', () => both((url) => ['query', 'instant', at, url, 'sum by (instance) (load)']))
  test('query range', () =>
    both((url) => ['query', 'range', `--start=${START}`, `--end=${END}`, '--step=60s', url, 'load{instance="a"}']))
  test('query series', () =>
    both((url) => ['query', 'series', `--match=load`, `--start=${START}`, `--end=${END}`, url]))
  test('query labels', () => both((url) => ['query', 'labels', `--start=${START}`, `--end=${END}`, url, 'instance']))
  test('debug metrics', async () => {
    const { stdout } = await run('promtool', ['debug', 'metrics', ours.url], { cwd: folder })
    expect(stdout).toContain('debug.tar.gz')
  })
})

test.skipIf(!hasVmalert)('vmalert evaluates rules against us', { timeout: 60_000 }, async () => {
  writeFileSync(
    join(folder, 'rules.yml'),
    `
groups:
  - name: g
    interval: 1s
    rules:
      - { record: requests:sum, expr: 'sum(last_over_time(http_requests_total[1h]))' }
      - { alert: Loaded, expr: 'last_over_time(load{instance="a"}[1h]) > 1' }
`,
  )
  const address = `127.0.0.1:${await freePort()}`
  const { stop: end } = startProgram(
    'vmalert',
    [
      '-rule=rules.yml',
      `-datasource.url=${ours.url}`,
      `-remoteWrite.url=${ours.url}`,
      `-remoteRead.url=${ours.url}`,
      '-remoteWrite.flushInterval=1s',
      `-notifier.url=${ours.url}/alertmanager`,
      `-httpListenAddr=${address}`,
    ],
    folder,
  )
  try {
    const names = async (): Promise<string[]> => {
      const answer = await fetch(
        `${ours.url}/api/v1/query?query={__name__=~"requests:sum|ALERTS",alertname=~"|Loaded"}`,
      )
      const { data } = (await answer.json()) as { data: { result: { metric: Record<string, string> }[] } }
      return data.result.map(({ metric }) => `${metric.__name__} ${metric.alertstate ?? ''}`).sort()
    }
    await expect.poll(names, { timeout: 30_000 }).toEqual(['ALERTS firing', 'requests:sum '])
  } finally {
    await end()
  }
})
