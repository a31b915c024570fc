import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { AlertRegistry } from '../alert/alert-registry.ts'
import { type AlertInput, toStoredAlert } from '../alert/ingest.ts'
import { AlertMemo } from '../alert/stored-alert.ts'
import { AlertBodyReader } from './alert-body.ts'
import { alertInputOf, alertInputsOf } from './alert-input.ts'

const NOW_MS = Date.UTC(2026, 0, 5, 12)

/** What one knows of nothing, or of all that it has read before. */
function readerOf(registry = new AlertRegistry(new ManualClock(NOW_MS))) {
  const reader = new AlertBodyReader((highHalf) => registry.candidate(highHalf))
  return {
    async read(bytes: Buffer, cuts: readonly number[], bytesMax = 1e9): Promise<AlertInput[]> {
      const chunks = [0, ...cuts].sort((a, b) => a - b).map((from, i, all) => bytes.subarray(from, all[i + 1]))
      const inputs = [...(await reader.read(Readable.from(chunks, { objectMode: false }), bytesMax))]
      for (const input of inputs) {
        if (input.labels.length === 0 || input.labels[0] === '') continue
        const alert = toStoredAlert({ ...input, startsAtMs: NOW_MS, endsAtMs: NOW_MS }, NOW_MS, 1)
        registry.put(alert, registry.get(alert.fingerprint))
      }
      return inputs
    },
  }
}

const withoutFingerprints = (inputs: readonly AlertInput[]): unknown =>
  inputs.map(({ labels, annotations, generatorUrl, startsAtMs, endsAtMs }) => [
    labels,
    annotations,
    generatorUrl,
    startsAtMs,
    endsAtMs,
  ])

const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('', 'a', '"', '\\', '\n', '\u0000', 'ü', '😀', '{"}', '],['),
)
const name = fc.oneof(fc.constantFrom('alertname', 'job', 'a', 'b', 'B', 'ab', '__proto__', 'ü'), anyText)
const texts = fc.array(fc.tuple(name, anyText), { maxLength: 5 })
const time = fc.constantFrom(
  undefined,
  null,
  '',
  '2026-01-05T12:00:00Z',
  '2026-01-05T12:00:00.123456789+01:00',
  '0001-01-01T00:00:00Z',
  'yesterday',
  7,
)
const url = fc.constantFrom(undefined, null, '', '/graph', 'http://p/graph?a=1&b=%22', 'http://ü/<>', 'no address')
const member = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(fc.constantFrom('labels', 'annotations'), texts.map(objectJson)) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('startsAt', 'endsAt'), time.map(json)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('generatorURL'), url.map(json)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('labels', 'annotations', 'more'), fc.json()) },
)
const blank = fc.constantFrom('', '', '', ' ', '\n', ' \t\r\n')
const item = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(fc.array(member, { maxLength: 6 }), blank).map(([m, b]) => itemJson(m, b)) },
  { weight: 1, arbitrary: fc.json() },
)

function json(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** Names may come twice, as no JavaScript object has them; `\u` escapes as Go writes them. */
function objectJson(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([key, value]) => `${json(key)}:${json(value).replaceAll('a', '\\u0061')}`).join(',')}}`
}

const itemJson = (members: readonly (readonly [string, string])[], space: string): string =>
  `{${space}${members.map(([key, value]) => `${json(key)}${space}:${space}${value}`).join(`${space},`)}${space}}`

const bodies = fc.tuple(fc.array(item, { maxLength: 6 }), blank).map(([items, space]) => {
  return `${space}[${space}${items.join(`${space},${space}`)}]${space}`
})

async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return withoutFingerprints((await run()) as AlertInput[])
  } catch (error) {
    return (error as Error).message
  }
}

test('however a list is cut into chunks, it is read as by a parser that sees it whole, new and known alerts alike', async () => {
  await fc.assert(
    fc.asyncProperty(bodies, fc.array(fc.nat(400), { maxLength: 4 }), async (body, places) => {
      const bytes = Buffer.from(body)
      const cuts = places.map((place) => Math.min(place, bytes.length))
      const wanted = await outcome(() => alertInputsOf(body))
      const reader = readerOf()
      expect(await outcome(() => reader.read(bytes, cuts))).toEqual(wanted)
      expect(await outcome(() => reader.read(bytes, []))).toEqual(wanted)
    }),
    { numRuns: 300 },
  )
})

test('a damaged list is refused as by a parser that sees it whole', async () => {
  await fc.assert(
    fc.asyncProperty(bodies, fc.nat(300), fc.constantFrom('', ',', '}', ']', '"', '{', 'x'), async (body, at, put) => {
      const place = Math.min(at, body.length)
      const damaged = Buffer.from(body.slice(0, place) + put + body.slice(place + 1))
      const wanted = await outcome(() => alertInputsOf(damaged.toString()))
      expect(await outcome(() => readerOf().read(damaged, []))).toEqual(wanted)
    }),
    { numRuns: 300 },
  )
})

const plain = (id: number) => ({
  annotations: { summary: `host${id} is "down"`, runbook: `https://runbooks/${id % 3}` },
  labels: { alertname: `A${id % 10}`, instance: `host${id}`, job: 'node' },
  startsAt: '2026-01-05T12:00:00Z',
  generatorURL: 'http://prometheus/graph?g0.expr=up&g0.tab=1',
})

test('long lists in chunks of any size, with items longer than a chunk among them', async () => {
  const items = Array.from({ length: 3000 }, (_, id) => plain(id))
  items[1500]!.annotations.summary = 'long '.repeat(60_000)
  const bytes = Buffer.from(JSON.stringify(items))
  const wanted = withoutFingerprints(items.map((one, i) => alertInputOf(one, i)))
  for (const size of [1000, 5000, 65_536]) {
    const cuts = Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => (i + 1) * size)
    const reader = readerOf()
    for (let round = 0; round < 2; round++) expect(withoutFingerprints(await reader.read(bytes, cuts))).toEqual(wanted)
  }
})

test('texts of a known alert are not made again', async () => {
  const bytes = Buffer.from(JSON.stringify([plain(1)]))
  const registry = new AlertRegistry(new ManualClock(NOW_MS))
  const reader = readerOf(registry)
  const [first] = await reader.read(bytes, [])
  const [again] = await reader.read(bytes, [])
  expect(again!.labels).toBe(first!.labels)
  expect(again!.annotations).toBe(first!.annotations)
  expect(again!.fingerprint).toBe(first!.fingerprint)
})

test('of two alerts whose fingerprints begin alike, each gets its own texts', async () => {
  const reader = new AlertBodyReader(() => alike)
  const alike = {
    ...toStoredAlert(alertInputOf(plain(2), 0), NOW_MS, 1),
    memo: new AlertMemo(),
  }
  const body = JSON.stringify([plain(1), { ...plain(2), annotations: { summary: 'another' } }])
  const inputs = [...(await reader.read(Readable.from([Buffer.from(body)]), 1e9))]
  expect(inputs.map(({ labels }) => labels[3])).toEqual(['host1', 'host2'])
  expect(inputs.map(({ annotations }) => annotations.at(-1))).toEqual(['host1 is "down"', 'another'])
  expect(inputs[1]!.labels).toBe(alike.labels)
})

test('a body that is too long is refused', async () => {
  const bytes = Buffer.from(JSON.stringify([plain(1)]))
  await expect(readerOf().read(bytes, [10, 20], bytes.length - 1)).rejects.toMatchObject({ statusCode: 413 })
  expect(await readerOf().read(bytes, [10, 20], bytes.length)).toHaveLength(1)
})
