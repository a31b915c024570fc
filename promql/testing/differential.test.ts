// Goal: the same answers as a real Prometheus. Method: both read the same samples (Prometheus from blocks made by promtool),
// a few hundred generated expressions are asked of both as range queries. Prometheus 2.42 has windows that are closed on the
// left; sample and evaluation times are chosen so that nothing ever lies on a border.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareStrings, labelsFromRecord, labelsText } from '../../model/index.ts'
import { createEngine } from '../exec/engine.ts'
import { MemoryStorage } from './memory-storage.ts'

const available = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0)

const BASE_S = 1_700_006_400
const SAMPLES = 240
const SCRAPE_S = 15
// Evaluation falls between scrapes, and off the grid of subqueries.
const RANGE = { start: BASE_S + 1801.25, end: BASE_S + 3001.25, step: 41 }
const EXPRESSIONS = 800
const TOLERANCE = 1e-9

interface TestSeries {
  readonly labels: Record<string, string>
  readonly points: readonly (readonly [timeS: number, value: number])[]
}

interface Answer {
  readonly series: ReadonlyMap<string, readonly (readonly [timeS: number, value: number])[]>
  readonly error: string | undefined
}

describe.skipIf(!available)('differential: Prometheus gives the same answers', () => {
  const storage = new MemoryStorage()
  const engine = createEngine({ lookbackDeltaMs: 300_000, defaultSubqueryStepMs: () => 60_000, maxSamples: 50_000_000 })
  let folder: string
  let peer: ChildProcess
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'belltower-differential-'))
    const series = makeSeries()
    for (const { labels, points } of series) {
      const timestampsMs = Float64Array.from(points, ([timeS]) => timeS * 1000)
      storage.add(
        labelsFromRecord(labels),
        timestampsMs,
        Float64Array.from(points, ([, value]) => value),
      )
    }
    writeFileSync(join(folder, 'samples.om'), openMetricsOf(series))
    writeFileSync(join(folder, 'prometheus.yml'), 'global: {evaluation_interval: 1m}\n')
    const data = join(folder, 'data')
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'samples.om'), data])
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=promql-at-modifier,promql-negative-offset',
    ]
    peer = spawn('prometheus', flags, { stdio: 'ignore' })
    await untilReady(url)
  }, 60_000)

  afterAll(async () => {
    if (peer?.exitCode === null) {
      peer.kill('SIGTERM')
      await once(peer, 'exit')
    }
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  test(`${EXPRESSIONS} generated expressions`, { timeout: 120_000 }, async () => {
    const expressions = [...new Set(fc.sample(vectors, { seed: 20_260_101, numRuns: EXPRESSIONS }))]
    let answered = 0
    const differences: string[] = []
    for (const text of expressions) {
      const theirs = await askPeer(text)
      const ours = askEngine(text)
      const why = differenceOf(ours, theirs)
      if (why !== undefined && !isTolerated(text, ours, why)) differences.push(`${text}: ${why}`)
      if (theirs.series.size > 0) answered++
    }
    expect(differences).toEqual([])
    // A generator whose expressions find nothing would compare nothing.
    expect(answered).toBeGreaterThan(expressions.length / 2)
  })

  function askEngine(text: string): Answer {
    try {
      const times = { startMs: RANGE.start * 1000, endMs: RANGE.end * 1000, stepMs: RANGE.step * 1000 }
      const { result } = engine.range(storage, text, times)
      if (result.type !== 'matrix') throw new Error(`unexpected ${result.type}`)
      const series = result.series.map(({ labels, timestampsMs, values }) => {
        return [labelsText(labels), [...values].map((value, i) => [timestampsMs[i]! / 1000, value] as const)] as const
      })
      return { series: new Map(series.map(([labels, points]) => [labels, [...points]])), error: undefined }
    } catch (error) {
      return { series: new Map(), error: (error as Error).message }
    }
  }

  async function askPeer(text: string): Promise<Answer> {
    const body = new URLSearchParams({
      query: text,
      start: String(RANGE.start),
      end: String(RANGE.end),
      step: String(RANGE.step),
    })
    const response = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body })
    const answer = (await response.json()) as {
      error?: string
      data?: { result: { metric: Record<string, string>; values: [number, string][] }[] }
    }
    const series = (answer.data?.result ?? []).map(({ metric, values }) => {
      return [labelsText(labelsFromRecord(metric)), values.map(([t, v]) => [t, goNumber(v)] as const)] as const
    })
    return { series: new Map(series.map(([labels, points]) => [labels, [...points]])), error: answer.error }
  }
})

test.runIf(!available)('differential: skipped, prometheus and promtool are not on PATH', () => {
  console.log('differential: skipped, needs prometheus and promtool on PATH (Debian: apt install prometheus)')
})

function differenceOf(ours: Answer, theirs: Answer): string | undefined {
  if ((ours.error === undefined) !== (theirs.error === undefined)) {
    return `ours: ${ours.error ?? 'no error'}, theirs: ${theirs.error ?? 'no error'}`
  }
  const [oursLabels, theirLabels] = [ours, theirs].map(({ series }) =>
    [...series.keys()].sort(compareStrings).join(' '),
  )
  if (oursLabels !== theirLabels) return `ours: ${oursLabels}, theirs: ${theirLabels}`
  for (const [labels, wanted] of theirs.series) {
    const points = ours.series.get(labels)!
    if (points.map(([timeS]) => timeS).join() !== wanted.map(([timeS]) => timeS).join()) return `${labels}: other times`
    const at = points.findIndex(([, value], i) => !isSame(value, wanted[i]![1]))
    if (at >= 0) return `${labels}: ours ${points[at]![1]}, theirs ${wanted[at]![1]} at ${points[at]![0]}`
  }
  return undefined
}

/** What has changed since 2.42, on purpose. */
function isTolerated(text: string, ours: Answer, why: string): boolean {
  // Several matches on one side are an error also where a filter then leaves at most one.
  if (ours.error?.startsWith('multiple matches for labels: many-to-one matching must be explicit')) return true
  // The deviation of a single NaN or infinity is NaN.
  return /\bstd(?:dev|var)\b/.test(text) && why.includes('ours NaN, theirs 0 at')
}

function isSame(value: number, wanted: number): boolean {
  if (value === wanted || (Number.isNaN(value) && Number.isNaN(wanted))) return true
  return Math.abs(value - wanted) <= TOLERANCE * Math.max(Math.abs(value), Math.abs(wanted), 1e-3)
}

const goNumber = (text: string): number => Number(text.replace('Inf', 'Infinity'))

/** Quarters only, so that sums are exact in any order; scrapes of one target share their times. */
function makeSeries(): TestSeries[] {
  const all: TestSeries[] = []
  let seed = 42
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed / 2_147_483_648
  }
  const add = (
    labels: Record<string, string>,
    valueOf: (i: number) => number,
    shiftS: number,
    keep = (_i: number) => true,
  ): void => {
    const points: [number, number][] = []
    for (let i = 0; i < SAMPLES; i++) {
      const value = valueOf(i)
      if (keep(i)) points.push([BASE_S + i * SCRAPE_S + shiftS, value])
    }
    all.push({ labels, points })
  }
  for (const [n, instance] of ['a:1', 'b:2', 'c:3'].entries()) {
    const job = n < 2 ? 'api' : 'web'
    const shiftS = 3.5 + n
    add({ __name__: 'up', instance, job }, () => (random() < 0.9 ? 1 : 0), shiftS)
    add(
      { __name__: 'load', instance, job },
      () => Math.round((random() - 0.3) * 400) / 4,
      shiftS,
      () => random() < 0.7,
    )
    add(
      { __name__: 'temperature', instance, job, room: `r${n % 2}` },
      (i) => 20 + n + Math.round(8 * Math.sin(i / 20)) / 4,
      shiftS,
    )
    for (const code of ['200', '404', '500']) {
      let total = 1000
      const step = (): number => {
        total = random() < 0.02 ? 400 : total + Math.floor(random() * 20)
        return total
      }
      add({ __name__: 'requests_total', instance, job, code }, step, shiftS)
    }
    const counts = [100, 200, 300, 400]
    for (const [b, le] of ['0.1', '0.5', '2', '+Inf'].entries()) {
      add({ __name__: 'latency_bucket', instance, job, le }, (i) => counts[b]! + (b + 1) * i * (n + 1), shiftS)
    }
  }
  return all
}

function openMetricsOf(series: readonly TestSeries[]): string {
  const lines = series.flatMap(({ labels, points }) => {
    const { __name__: name, ...rest } = labels
    const set = Object.entries(rest).map(([key, value]) => `${key}="${value}"`)
    return points.map(([timeS, value]) => `${name}{${set.join(',')}} ${value} ${timeS.toFixed(3)}`)
  })
  return `${lines.join('\n')}\n# EOF\n`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('prometheus did not become ready')
}

// ---- expressions -------------------------------------------------------------------------------------------------------

const selector = fc.constantFrom(
  'up',
  'load',
  'temperature',
  'requests_total',
  'requests_total{code="200"}',
  'requests_total{code=~"4..|5.."}',
  'temperature{room!="r1"}',
  'load{job="api"}',
  'requests_total{instance!~"a.*"}',
  'nothing_here',
)
const duration = fc.constantFrom('1m', '2m', '5m', '90s', '12m')
const modifier = fc.constantFrom(
  '',
  '',
  '',
  ' offset 3m',
  ' offset -1m',
  ' @ 1700008900.25',
  ' @ end()',
  ' @ start() offset 30s',
)
const rangeFunction = fc.constantFrom(
  'irate',
  'delta',
  'idelta',
  'deriv',
  'resets',
  'changes',
  ...['sum', 'avg', 'min', 'max', 'count', 'last', 'stddev', 'stdvar', 'present'].map((name) => `${name}_over_time`),
)
// Of scrapes without gaps: how far a late start is extrapolated toward zero has changed since 2.42.
const counterFunction = fc.constantFrom('rate', 'increase')
const gapless = selector.filter((text) => !text.startsWith('load'))
const grouping = fc.constantFrom(
  '',
  ' by (job)',
  ' by (instance)',
  ' without (code)',
  ' by (job, code)',
  ' without (instance, room)',
)
const mathFunction = fc.constantFrom(
  'abs',
  'ceil',
  'floor',
  'sqrt',
  'exp',
  'ln',
  'sgn',
  'round',
  'sin',
  'timestamp',
  'hour',
  'day_of_week',
  'year',
)
const comparison = fc.constantFrom('==', '!=', '>', '<', '>=', '<=')
// Not atan2: 2.42 forgets to drop the name there.
const arithmetic = fc.constantFrom('+', '-', '*', '/', '%', '^')
const number = fc.constantFrom('0', '1', '-2', '0.5', '3', '20', '1e3', 'NaN', 'Inf')
const phi = fc.constantFrom('0', '0.25', '0.5', '0.9', '1', '-1', '2')

const { vectors } = fc.letrec<{ vectors: string }>((tie) => ({
  vectors: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(selector, modifier).map(([s, m]) => s + m),
    fc.tuple(rangeFunction, selector, duration, modifier).map(([f, s, d, m]) => `${f}(${s}[${d}]${m})`),
    fc.tuple(counterFunction, gapless, duration, modifier).map(([f, s, d, m]) => `${f}(${s}[${d}]${m})`),
    fc.tuple(phi, selector, duration).map(([q, s, d]) => `quantile_over_time(${q}, ${s}[${d}])`),
    fc.tuple(selector, duration).map(([s, d]) => `predict_linear(${s}[${d}], 600)`),
    fc
      .tuple(phi, duration, grouping)
      .map(
        ([q, d, g]) =>
          `histogram_quantile(${q}, sum${g.startsWith(' by') ? g.replace(')', ', le)') : ' by (le)'} (rate(latency_bucket[${d}])))`,
      ),
    fc
      .tuple(
        fc.constantFrom('sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'),
        grouping,
        tie('vectors'),
      )
      .map(([op, g, v]) => `${op}${g} (${v})`),
    fc.tuple(phi, grouping, tie('vectors')).map(([q, g, v]) => `quantile${g} (${q}, ${v})`),
    fc
      .tuple(fc.constantFrom('topk', 'bottomk'), grouping, tie('vectors'))
      .map(([op, g, v]) => `count(${op}${g} (2, ${v}))`),
    fc.tuple(mathFunction, tie('vectors')).map(([f, v]) => `${f}(${v})`),
    fc.tuple(tie('vectors')).map(([v]) => `clamp(${v}, -3, 30)`),
    fc.tuple(tie('vectors'), arithmetic, number).map(([v, op, n]) => `(${v} ${op} ${n})`),
    fc.tuple(number, arithmetic, tie('vectors')).map(([n, op, v]) => `(${n} ${op} ${v})`),
    fc.tuple(tie('vectors'), comparison, number).map(([v, op, n]) => `(${v} ${op} ${n})`),
    fc.tuple(tie('vectors'), comparison, number).map(([v, op, n]) => `(${v} ${op} bool ${n})`),
    fc.tuple(tie('vectors'), arithmetic, tie('vectors')).map(([l, op, r]) => `(${l} ${op} ignoring (code, room) ${r})`),
    fc.tuple(tie('vectors'), comparison, tie('vectors')).map(([l, op, r]) => `(${l} ${op} on (instance) ${r})`),
    fc
      .tuple(arithmetic, tie('vectors'))
      .map(([op, r]) => `(requests_total ${op} on (instance) group_left (room) ${r})`),
    fc
      .tuple(tie('vectors'), fc.constantFrom('and', 'or', 'unless'), tie('vectors'))
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    fc
      .tuple(tie('vectors'), fc.constantFrom('and', 'unless'))
      .map(([l, op]) => `(${l} ${op} on (job) up{instance="c:3"})`),
    fc
      .tuple(fc.constantFrom('max', 'avg', 'sum', 'count', 'last'), tie('vectors'))
      .map(([f, v]) => `${f}_over_time((${v})[290s:1m])`),
    fc.tuple(tie('vectors')).map(([v]) => `absent(${v})`),
    fc.tuple(tie('vectors')).map(([v]) => `label_replace(${v}, "where", "$1-x", "instance", "(.).*")`),
    fc.tuple(tie('vectors')).map(([v]) => `label_join(${v}, "both", "/", "job", "instance")`),
    fc.tuple(tie('vectors')).map(([v]) => `-(${v})`),
    fc.tuple(tie('vectors')).map(([v]) => `vector(scalar(${v}))`),
  ),
}))
