import { gzipSync } from 'node:zlib'
import { compress } from 'snappyjs'
import { expect, test } from 'vitest'
import { type ClientMetricFamily, decodeMetricFamilies, encodeMetricFamilies, readExposition } from '../model/index.ts'
import { start } from '../tests/support/push-client.ts'

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

const metric = { timestampMs: undefined, createdMs: undefined, value: undefined, exemplar: undefined }
const FAMILIES: readonly ClientMetricFamily[] = [
  {
    name: 'runs_total',
    help: 'Runs.',
    unit: '',
    type: 'counter',
    metrics: [
      {
        ...metric,
        labels: ['l', 'v'],
        value: 3,
        exemplar: { labels: ['trace_id', 'abc'], value: 1, timestampMs: 1_700_000_000_000 },
        createdMs: 1_600_000_000_000,
        summary: undefined,
        histogram: undefined,
      },
    ],
  },
  {
    name: 'size',
    help: '',
    unit: '',
    type: 'histogram',
    metrics: [
      {
        ...metric,
        labels: [],
        summary: undefined,
        histogram: {
          count: 5,
          sum: 7.5,
          buckets: [],
          exemplars: [],
          native: {
            integer: true,
            counterResetHint: 0,
            schema: 3,
            zeroThreshold: 1e-128,
            zeroCount: 1,
            count: 5,
            sum: 7.5,
            positiveSpans: [
              { offset: 0, length: 2 },
              { offset: 3, length: 1 },
            ],
            positiveBuckets: Float64Array.of(1, 2, 1),
            negativeSpans: [],
            negativeBuckets: new Float64Array(),
            customBounds: new Float64Array(),
          },
        },
      },
    ],
  },
  {
    name: 'age',
    help: '',
    unit: '',
    type: 'summary',
    metrics: [
      {
        ...metric,
        labels: [],
        summary: { count: 2, sum: 3, quantiles: [{ quantile: 0.5, value: 1.5 }] },
        histogram: undefined,
      },
    ],
  },
]

test('protobuf is taken whole and given whole, native histograms, exemplars and beginnings with it', async () => {
  const { send, app, pushed } = await start()
  const body = Buffer.from(encodeMetricFamilies(FAMILIES))
  expect(await send('PUT', '/metrics/job/a', body, { 'content-type': PROTOBUF })).toBe('200')
  expect(await pushed()).toEqual([
    'age{instance="",job="a",quantile="0.5"} 1.5',
    'age_sum{instance="",job="a"} 3',
    'age_count{instance="",job="a"} 2',
    'runs_total{instance="",job="a",l="v"} 3',
    'size_bucket{instance="",job="a",le="+Inf"} 5',
    'size_sum{instance="",job="a"} 7.5',
    'size_count{instance="",job="a"} 5',
  ])
  const answer = await app.inject({ url: '/metrics', headers: { accept: `${PROTOBUF};q=0.9,text/plain;q=0.5` } })
  expect(answer.headers['content-type']).toBe(PROTOBUF)
  const shown = new Map([...decodeMetricFamilies(answer.rawPayload)].map((family) => [family.name, family]))
  expect(answer.payload).toContain('instance')
  const labels = ['job', 'a'] // Readers drop the empty instance.
  expect(shown.get('size')!.metrics[0]).toMatchObject({ labels, histogram: FAMILIES[1]!.metrics[0]!.histogram! })
  expect(shown.get('runs_total')!.metrics[0]).toMatchObject({
    labels: [...labels, 'l', 'v'],
    value: 3,
    exemplar: FAMILIES[0]!.metrics[0]!.exemplar!,
    createdMs: 1_600_000_000_000,
  })
  expect(shown.get('age')!.metrics[0]!.summary).toEqual(FAMILIES[2]!.metrics[0]!.summary)
  expect(shown.get('push_time_seconds')!.metrics[0]!.value).toBe(1_700_000_000.5)
})

test('protobuf that is broken, or has timestamps, is refused; without its parameters it is text', async () => {
  const { send } = await start()
  const put = (body: Buffer | string, type = PROTOBUF): Promise<string> =>
    send('PUT', '/metrics/job/a', body, { 'content-type': type })
  const whole = Buffer.from(encodeMetricFamilies(FAMILIES))
  for (let cut = 1; cut < whole.length; cut += 7) {
    const status = await put(whole.subarray(0, cut))
    expect(status, `cut at ${cut}`).toMatch(/^(?:400 .+|200)$/)
  }
  expect(await put(whole)).toBe('200')
  const timed = [{ ...FAMILIES[2]!, metrics: [{ ...FAMILIES[2]!.metrics[0]!, timestampMs: 5 }] }]
  expect(await put(Buffer.from(encodeMetricFamilies(timed)))).toMatch(/^400 .*must not have timestamps$/)
  expect(await put('x 1\n', 'application/vnd.google.protobuf')).toBe('200')
  expect(await put('')).toBe('200')
})

test('OpenMetrics is read by its own rules', async () => {
  const { send, pushed, app } = await start()
  const body = [
    '# TYPE runs counter',
    '# HELP runs Runs so far.',
    'runs_total{l="v"} 3.0 # {trace_id="abc"} 1.0 1700000000.5',
    'runs_created{l="v"} 1600000000.0',
    '# TYPE build info',
    'build_info{version="1",e=""} 1',
    '# TYPE age gaugehistogram',
    'age_bucket{le="1.0"} 2',
    'age_bucket{le="+Inf"} 3',
    'age_gcount 3',
    'age_gsum 4.5',
    '# EOF',
    '',
  ].join('\n')
  const put = (text: string): Promise<string> => send('PUT', '/metrics/job/a', text, { 'content-type': OPENMETRICS })
  expect(await put(body)).toBe('200')
  expect(await pushed()).toEqual([
    'age_bucket{instance="",job="a",le="1"} 2',
    'age_bucket{instance="",job="a",le="+Inf"} 3',
    'age_sum{instance="",job="a"} 4.5',
    'age_count{instance="",job="a"} 3',
    'build_info{e="",instance="",job="a",version="1"} 1',
    'runs_total{instance="",job="a",l="v"} 3',
  ])
  const answer = await app.inject({ url: '/metrics', headers: { accept: OPENMETRICS } })
  expect(answer.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(answer.payload).toContain(
    [
      '# HELP runs Runs so far.',
      '# TYPE runs counter',
      'runs_total{instance="",job="a",l="v"} 3.0 # {trace_id="abc"} 1.0 1700000000.5',
      'runs_created{instance="",job="a",l="v"} 1.6e+09',
      '',
    ].join('\n'),
  )
  expect(answer.payload).toContain('# TYPE age gaugehistogram\n')
  expect(readExposition(answer.rawPayload, 'openmetrics').map(({ name }) => name)).toContain('runs')
  expect(await put('# TYPE x gauge\nx 1\n')).toMatch(/^400 text format parsing error in line 3: /)
  expect(await put('x 1 1700000000\n# EOF\n')).toMatch(/^400 .*timestamps$/)
})

test('gzip and both forms of snappy are unpacked; what lies about its content is refused', async () => {
  const { send, pushed } = await start({ bodyBytesMax: 100_000 })
  const put = (body: Buffer, encoding: string): Promise<string> =>
    send('PUT', '/metrics/job/a', body, { 'content-encoding': encoding })
  const text = Buffer.from(`${'# remark\n'.repeat(9000)}x 1\n`)
  for (const [i, body] of [snappyFrames(text), Buffer.from(compress(Buffer.from('x 1\n')))].entries()) {
    await send('DELETE', '/metrics/job/a')
    expect(await put(body, 'snappy'), String(i)).toBe('200')
    expect(await pushed()).toEqual(['x{instance="",job="a"} 1'])
  }
  expect(await put(gzipSync(text), 'GZIP')).toBe('200')
  const damaged = snappyFrames(text)
  damaged[20]! ^= 1
  expect(await put(damaged, 'snappy')).toMatch(/^400 snappy: corrupt input$/)
  expect(await put(snappyFrames(text).subarray(0, -3), 'snappy')).toBe('400 unexpected EOF')
  expect(await put(snappyFrames(Buffer.alloc(200_000, '#')), 'snappy')).toMatch(/^413 /)
  expect(await put(Buffer.from('x 1\n'), 'br')).toBe('200')
})

test('names of any characters where they are allowed, escaped for readers that do not know them', async () => {
  const { send, app, pushed } = await start({ utf8Names: true })
  const body =
    '# HELP "my.metric" Dotted.\n# TYPE "my.metric" gauge\n{"my.metric","my.label"="v",x="1"} 5\n{"alone"} 1\n'
  expect(await send('PUT', '/metrics/job/a/U__the_2e_zone/z', body)).toBe('200')
  const get = async (accept: string) => (await app.inject({ url: '/metrics', headers: { accept } })).payload
  const plain = '{"my.metric",instance="",job="a","my.label"="v","the.zone"="z",x="1"} 5\n'
  expect(await get('text/plain;version=1.0.0;escaping=allow-utf-8')).toContain(`# TYPE "my.metric" gauge\n${plain}`)
  expect(await pushed()).toContain('my_metric{instance="",job="a",my_label="v",the_zone="z",x="1"} 5')
  expect(await get('text/plain;version=0.0.4;escaping=dots')).toContain('my_dot_metric{instance')
  expect(await get('text/plain;version=0.0.4;escaping=values')).toContain('U__my_2e_metric{instance')
  // Two names that look alike when escaped must not make the page contradict itself.
  expect(await send('PUT', '/metrics/job/b', '# TYPE my_metric counter\nmy_metric 1\n')).toBe('200')
  // As the original does: a name that every reader understands stays as it is, whatever is done to the others.
  const withDots = await get('text/plain;version=0.0.4;escaping=dots')
  expect(withDots).toMatch(/^my_metric\{instance/m)
  expect(withDots).toMatch(/^my_dot_metric\{instance/m)
  const names = [...(await get('')).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
  expect(new Set(names).size).toBe(names.length)
  const strict = await start()
  expect(await strict.send('PUT', '/metrics/job/a', body)).toMatch(/^400 text format parsing error/)
  expect(await strict.send('PUT', '/metrics/job/a/U__x_2e_/1', 'x 1\n')).toBe('200')
  expect(await strict.pushed()).toEqual(['x{U__x_2e_="1",instance="",job="a"} 1'])
})

/** Snappy's framed form, made with another implementation's blocks. */
function snappyFrames(content: Buffer): Buffer {
  const frames = [Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')]
  for (let at = 0; at < content.length; at += 65_536) {
    const piece = content.subarray(at, at + 65_536)
    const block = Buffer.from(compress(piece))
    const header = Buffer.alloc(8)
    header.writeUIntLE(block.length + 4, 1, 3)
    header.writeUInt32LE(maskedCrc32c(piece), 4)
    frames.push(header, block)
  }
  return Buffer.concat(frames)
}

function maskedCrc32c(data: Buffer): number {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
