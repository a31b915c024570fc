// Samples that come twice or late: the same requests to us and to a real Prometheus get the same answers, and show the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeSnappy, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'
import { freePort, hasProgram, startProgram } from '../../tests/support/programs.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const hasPrometheus = hasProgram('prometheus')
if (!hasPrometheus) console.log('skipped: needs prometheus on PATH (Debian: apt install prometheus)')

type Value = number | 'stale'
/** Requests with one series each: minutes before the newest sample of all, and values. */
type Batches = readonly (readonly (readonly [minutesBack: number, value: Value])[])[]

const MINUTE = 60_000
const NEWEST_MS = Math.floor(Date.now() / MINUTE) * MINUTE
const IN_ORDER = [
  [5, 1],
  [4, 2],
  [3, 3],
  [2, 4],
  [1, 5],
] as const

const CASES: Record<string, Batches> = {
  newest_again: [IN_ORDER, [[1, 5]]],
  newest_other: [IN_ORDER, [[1, 55]]],
  newest_marker: [IN_ORDER, [[1, 'stale']]],
  marker_newest: [[...IN_ORDER, [0, 'stale']], [[0, 6]], [[0, 'stale']]],
  late_again: [IN_ORDER, [[3, 3]]],
  late_other: [IN_ORDER, [[3, 33]]],
  late_oldest: [IN_ORDER, [[5, 11]]],
  late_two: [
    IN_ORDER,
    [
      [3, 33],
      [2, 44],
    ],
  ],
  late_marker: [IN_ORDER, [[3, 'stale']]],
  late_on_marker: [[...IN_ORDER.slice(0, 2), [3, 'stale'], ...IN_ORDER.slice(3)], [[3, 33]]],
  late_twice: [IN_ORDER, [[3, 33]], [[3, 34]], [[3, 3]]],
  between: [IN_ORDER, [[2.5, 3.5]]],
  between_again: [IN_ORDER, [[2.5, 3.5]], [[2.5, 3.5]]],
  between_twice: [IN_ORDER, [[2.5, 3.5]], [[2.5, 3.6]], [[2.6, 9]], [[2.5, 3.7]]],
  between_marker_first: [IN_ORDER, [[2.5, 'stale']], [[2.5, 3.6]]],
  between_marker_second: [IN_ORDER, [[2.5, 3.5]], [[2.5, 'stale']]],
  twice_in_request: [
    [
      [2, 1],
      [2, 2],
    ],
  ],
  again_in_request: [
    [
      [2, 1],
      [2, 1],
    ],
  ],
  back_in_request: [
    [
      [3, 1],
      [4, 2],
      [2, 3],
    ],
  ],
  back_and_twice: [
    IN_ORDER,
    [
      [0, 6],
      [0.5, 7],
      [0.5, 8],
      [0, 9],
    ],
  ],
  behind_stored_in_request: [
    IN_ORDER,
    [
      [0, 6],
      [1, 55],
    ],
  ],
  late_twice_in_request: [
    IN_ORDER,
    [
      [2.5, 3.5],
      [2.5, 3.6],
    ],
  ],
  new_and_old: [[[90, 1]], [[100, 2]]],
  old_newest_other: [[[100, 1]], [[100, 2]]],
}
// In this order: what is refused for its age is refused for all.
const WINDOWS = ['0s', '2h']

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Label { string name = 1; string value = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; }
  message Series { repeated Label labels = 1; repeated Sample samples = 2; }
  message Write { repeated Series timeseries = 1; }`)

function bitsOf(value: Value): { low: number; high: number; unsigned: boolean } {
  const [low, high] =
    value === 'stale' ? [STALE_NAN_LOW, STALE_NAN_HIGH] : new Uint32Array(Float64Array.of(value).buffer)
  return { low: low! | 0, high: high! | 0, unsigned: true }
}

async function post(url: string, name: string, batch: Batches[number]): Promise<{ status: number; text: string }> {
  const Write = root.lookupType('Write')
  const samples = batch.map(([back, value]) => ({ timestamp: NEWEST_MS - back * MINUTE, value: bitsOf(value) }))
  const content = { timeseries: [{ labels: [{ name: '__name__', value: name }], samples }] }
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(encodeSnappy(Write.encode(Write.fromObject(content)).finish())),
  })
  return { status: response.status, text: (await response.text()).trim() }
}

/** Minutes and values of all samples of a series. */
async function shown(url: string, name: string): Promise<string> {
  const time = (NEWEST_MS + MINUTE) / 1000
  const answer = await fetch(`${url}/api/v1/query?query=${name}[12h]&time=${time}`)
  const { data } = (await answer.json()) as { data: { result: { values: [number, string][] }[] } }
  return (data.result[0]?.values ?? [])
    .map(([seconds, value]) => `${(NEWEST_MS / 1000 - seconds) / 60}:${value}`)
    .join(' ')
}

async function counters(url: string): Promise<string[]> {
  const page = await (await fetch(`${url}/metrics`)).text()
  const isWanted =
    /^prometheus_tsdb_(out_of_order_samples|head_out_of_order_samples_appended|head_samples_appended)_total/
  return page
    .split('\n')
    .filter((line) => isWanted.test(line))
    .sort()
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'belltower-late-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function startPrometheus(config: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort()
  const own = mkdtempSync(join(folder, 'prometheus-'))
  writeFileSync(join(own, 'prometheus.yml'), config)
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`]
  const { stop } = startProgram('prometheus', [...args, '--web.enable-remote-write-receiver'], own)
  const url = `http://127.0.0.1:${port}`
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect.poll(isReady, { timeout: 20_000 }).toBe(true)
  return { url, stop }
}

test.skipIf(!hasPrometheus).each(WINDOWS)(
  'with a window of %s we answer and show what Prometheus does',
  { timeout: 60_000 },
  async (window) => {
    const config = `storage: { tsdb: { out_of_order_time_window: ${window} } }\n`
    const theirs = await startPrometheus(config)
    const ours: TestServer = await startTestServer({ 'web.enable-remote-write-receiver': 'true' }, config)
    try {
      for (const { url } of [ours, theirs]) await post(url, 'clock', [[0, 1]])
      for (const [name, batches] of Object.entries(CASES)) {
        for (const [i, batch] of batches.entries()) {
          const [got, want] = [await post(ours.url, name, batch), await post(theirs.url, name, batch)]
          expect(got.status, `${name}, request ${i}`).toBe(want.status)
          // We also say of which series and when.
          expect(got.text.startsWith(want.text), `${name}, request ${i}: ${got.text}`).toBe(true)
        }
        expect(await shown(ours.url, name), name).toBe(await shown(theirs.url, name))
      }
      expect(await counters(ours.url)).toEqual(await counters(theirs.url))
    } finally {
      await ours.stop()
      await theirs.stop()
    }
  },
)
