import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ManualClock } from '../lib/index.ts'
import { encodeMetricFamilies } from '../model/index.ts'
import { metric } from '../model/testing/metric.ts'
import { type Client, folder, start } from '../tests/support/push-client.ts'

interface GroupDocument {
  readonly labels: Record<string, string>
  readonly overdue: boolean
  readonly usualIntervalSeconds: number | null
  readonly expiresAt: string | null
  readonly pushCount: number
  readonly events: readonly {
    readonly time: string
    readonly sender: string
    readonly bytes: number
    readonly refusal: string | null
  }[]
}

const groupsOf = async ({ app }: Client, query = ''): Promise<GroupDocument[]> =>
  (await app.inject(`/api/belltower/v1/push/groups${query}`)).json<{ data: GroupDocument[] }>().data

test('a group goes when its time is over, after a restart too; its push time decides', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  const dataDir = await folder()
  const first = await start({ clock, dataDir })
  await first.send('PUT', '/metrics/job/header', 'x 1\n', { 'x-metrics-ttl': '10m' })
  await first.send('PUT', '/metrics/job/parameter?ttl=5m', 'x 2\n')
  await first.send('PUT', '/metrics/job/stays', 'x 3\n')
  expect(await first.send('PUT', '/metrics/job/bad?ttl=soon', 'x 3\n')).toMatch(/^400 bad time to live/)
  await clock.advance(299_000)
  expect(await first.pushed()).toHaveLength(3)
  await first.send('POST', '/metrics/job/parameter', 'x 2\n')
  await clock.advance(299_999)
  expect(await first.pushed()).toHaveLength(3)
  await clock.advance(1)
  expect(await first.pushed()).toEqual(['x{instance="",job="header"} 1', 'x{instance="",job="stays"} 3'])
  expect(await first.page()).toContain('pushgateway_expired_groups_total 1\n')
  await first.close()
  await clock.advance(3_600_000)
  const second = await start({ clock, dataDir })
  expect(await second.pushed()).toEqual(['x{instance="",job="stays"} 3'])
  await second.send('PUT', '/metrics/job/forever?ttl=1m', 'x 4\n')
  await second.send('PUT', '/metrics/job/forever?ttl=0', 'x 4\n')
  await clock.advance(3_600_000)
  expect(await second.pushed()).toHaveLength(2)
})

test('a default time to live is for groups whose pushes say nothing', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  const { send, pushed } = await start({ clock, ttlMs: 60_000 })
  await send('PUT', '/metrics/job/a', 'x 1\n')
  await send('PUT', '/metrics/job/b?ttl=1h', 'x 1\n')
  await clock.advance(60_000)
  expect(await pushed()).toEqual(['x{instance="",job="b"} 1'])
})

const AGGREGATED = `# TYPE runs counter
runs{l="a"} 2
# TYPE age histogram
age_bucket{le="1"} 1
age_bucket{le="+Inf"} 3
age_sum 5
age_count 3
# TYPE took summary
took{quantile="0.5"} 1
took_sum 4
took_count 2
# TYPE level gauge
level 7
`

test('aggregation adds counters, histograms and summaries, and takes gauges as told; a restart changes nothing', async () => {
  const dataDir = await folder()
  const first = await start({ dataDir })
  const push = (mode: string, text: string): Promise<string> =>
    first.send('POST', `/metrics/job/a?aggregate=${mode}`, text)
  expect(await push('max', AGGREGATED)).toBe('200')
  expect(await push('max', AGGREGATED.replace('level 7', 'level 3').replace('l="a"', 'l="b"'))).toBe('200')
  expect(await push('max', AGGREGATED)).toBe('200')
  const want = [
    'age_bucket{instance="",job="a",le="1"} 3',
    'age_bucket{instance="",job="a",le="+Inf"} 9',
    'age_sum{instance="",job="a"} 15',
    'age_count{instance="",job="a"} 9',
    'level{instance="",job="a"} 7',
    'runs{instance="",job="a",l="a"} 4',
    'runs{instance="",job="a",l="b"} 2',
    'took_sum{instance="",job="a"} 12',
    'took_count{instance="",job="a"} 6',
  ]
  expect(await first.pushed()).toEqual(want)
  for (const [mode, value] of [
    ['min', 1],
    ['sum', 2],
    ['last', 1],
  ] as const) {
    expect(await push(mode, '# TYPE level gauge\nlevel 1\n')).toBe('200')
    expect(await first.pushed()).toContain(`level{instance="",job="a"} ${value}`)
  }
  expect(await push('most', 'x 1\n')).toMatch(/^400 unknown way to aggregate/)
  expect(await push('sum', '# TYPE age histogram\nage_bucket{le="2"} 1\nage_count 1\nage_sum 1\n')).toMatch(
    /^400 cannot add histograms of different buckets: age/,
  )
  await first.close()
  const second = await start({ dataDir })
  expect(await second.pushed()).toEqual(want.map((line) => line.replace(/^(level.*) 7$/, '$1 1')))
})

test('native histograms are added bucket by bucket', async () => {
  const { send, app } = await start()
  const body = (offset: number): Buffer =>
    Buffer.from(
      encodeMetricFamilies([
        {
          name: 'h',
          help: '',
          unit: '',
          type: 'histogram',
          metrics: [
            metric({
              histogram: {
                count: 3,
                sum: 4,
                buckets: [],
                exemplars: [],
                native: {
                  integer: true,
                  counterResetHint: 0,
                  schema: 0,
                  zeroThreshold: 0.001,
                  zeroCount: 0,
                  count: 3,
                  sum: 4,
                  positiveSpans: [{ offset, length: 2 }],
                  positiveBuckets: Float64Array.of(1, 2),
                  negativeSpans: [],
                  negativeBuckets: new Float64Array(),
                  customBounds: new Float64Array(),
                },
              },
            }),
          ],
        },
      ]),
    )
  const type = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'
  for (const offset of [0, 1, 5])
    expect(await send('POST', '/metrics/job/a?aggregate=last', body(offset), { 'content-type': type })).toBe('200')
  const { rawPayload } = await app.inject({ url: '/metrics', headers: { accept: type } })
  const { decodeMetricFamilies } = await import('../model/index.ts')
  const family = [...decodeMetricFamilies(rawPayload)].find(({ name }) => name === 'h')
  expect(family!.metrics[0]!.histogram!.native).toMatchObject({
    count: 9,
    sum: 12,
    positiveSpans: [
      { offset: 0, length: 3 },
      { offset: 2, length: 2 },
    ],
    positiveBuckets: Float64Array.of(1, 3, 2, 1, 2),
  })
})

test('a group tells its last pushes, who sent them, why one was refused, and when it is late', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  const dataDir = await folder()
  const client = await start({ clock, dataDir, eventsPerGroup: 6 })
  for (let i = 0; i < 8; i++) {
    await client.send('PUT', '/metrics/job/nightly', 'x 1\n')
    await clock.advance(60_000)
  }
  await client.send('PUT', '/metrics/job/nightly', 'x 1 5\n')
  const check = async (from: Client): Promise<void> => {
    const [group] = await groupsOf(from)
    expect(group).toMatchObject({ labels: { job: 'nightly' }, pushCount: 9, usualIntervalSeconds: 60, overdue: false })
    expect(group!.events).toHaveLength(6)
    expect(group!.events[0]).toMatchObject({ sender: '127.0.0.1', bytes: 4, refusal: null })
    expect(group!.events.at(-1)!.refusal).toMatch(/must not have timestamps$/)
  }
  await check(client)
  await client.close()
  const again = await start({ clock, dataDir, eventsPerGroup: 6 })
  await check(again)
  await clock.advance(121_000)
  expect((await groupsOf(again))[0]!.overdue).toBe(true)
  expect(await again.page()).toContain('pushgateway_overdue_groups 1\n')
})

test('groups are listed and deleted by matchers, after a look', async () => {
  const client = await start()
  for (const path of ['job/a', 'job/a/zone/x', 'job/b/zone/x', 'job/c'])
    await client.send('PUT', `/metrics/${path}`, 'x 1\n')
  const query = `?match[]=${encodeURIComponent('{job=~"a|b",zone="x"}')}&match[]=${encodeURIComponent('{job="c"}')}`
  expect((await groupsOf(client, query)).map(({ labels }) => labels)).toEqual([
    { job: 'a', zone: 'x' },
    { job: 'b', zone: 'x' },
    { job: 'c' },
  ])
  const remove = async (text: string) =>
    (await client.app.inject({ method: 'DELETE', url: `/api/belltower/v1/push/groups${text}` })).json()
  expect(await remove(`${query}&dry_run=1`)).toMatchObject({ data: { dryRun: true, count: 3 } })
  expect(await client.pushed()).toHaveLength(4)
  expect(await remove(query)).toMatchObject({ data: { dryRun: false, count: 3 } })
  expect(await client.pushed()).toEqual(['x{instance="",job="a"} 1'])
  expect(await remove('')).toMatchObject({ status: 'error' })
  expect(await remove('?match[]={')).toMatchObject({ status: 'error' })
})

test('with tokens only their jobs can be pushed and deleted, and only a general one may do more', async () => {
  const hashed = `sha256:${createHash('sha256').update('general').digest('hex')}`
  const client = await start({
    enableAdminApi: true,
    tokens: [{ token: hashed }, { token: 'backup-secret', jobs: ['backup', 'nightly-*'] }],
  })
  const push = (job: string, authorization?: string): Promise<string> =>
    client.send('PUT', `/metrics/job/${job}`, 'x 1\n', authorization === undefined ? {} : { authorization })
  const basic = (password: string): string => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`
  expect(await push('backup')).toBe('401 a push token is needed')
  expect(await push('backup', 'Bearer wrong')).toMatch(/^401/)
  expect(await push('backup', 'Bearer backup-secret')).toBe('200')
  expect(await push('nightly-db', basic('backup-secret'))).toBe('200')
  expect(await push('other', basic('backup-secret'))).toBe('403 the token is not for job "other"')
  expect(await push('other', 'Bearer general')).toBe('200')
  const remove = (authorization: string) => client.send('DELETE', '/metrics/job/other', '', { authorization })
  expect(await remove('Bearer backup-secret')).toMatch(/^403/)
  expect(await client.send('PUT', '/api/v1/admin/wipe', '', { authorization: 'Bearer backup-secret' })).toMatch(/^403/)
  expect(await remove('Bearer general')).toBe('202')
  expect(await client.pushed()).toHaveLength(2)
  expect(await client.send('PUT', '/api/v1/admin/wipe', '', { authorization: 'Bearer general' })).toBe('202')
})

test('limits are kept, said, and leave room for what replaces', async () => {
  const { send, pushed } = await start({ limits: { groups: 2, metricsPerGroup: 3, metrics: 5 } })
  const lines = (count: number): string => Array.from({ length: count }, (_, i) => `m${i} 1\n`).join('')
  expect(await send('PUT', '/metrics/job/a', lines(4))).toBe(
    '413 the group would have more than 3 metrics, which is the limit',
  )
  expect(await send('PUT', '/metrics/job/a', lines(3))).toBe('200')
  expect(await send('PUT', '/metrics/job/a', lines(3))).toBe('200')
  expect(await send('POST', '/metrics/job/a', 'other 1\n')).toMatch(/^413/)
  expect(await send('PUT', '/metrics/job/b', lines(3))).toMatch(
    /^429 all groups together would have more than 5 metrics/,
  )
  expect(await send('PUT', '/metrics/job/b', lines(2))).toBe('200')
  expect(await send('PUT', '/metrics/job/c', lines(1))).toMatch(/^429 the limit of 2 groups is reached/)
  // A refused push may not take the last place either.
  expect(await send('PUT', '/metrics/job/d', 'x 1 1\n')).toMatch(/^400/)
  expect(await pushed()).toHaveLength(5)
})
