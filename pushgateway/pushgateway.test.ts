import { appendFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Counter, Pushgateway as PushClient, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { ManualClock } from '../lib/index.ts'
import { folder, start } from '../tests/support/push-client.ts'

const INVALID = '400 pushed metrics are invalid or inconsistent with existing metrics: '

test('the exchanges of the original, code and text', async () => {
  const { send } = await start()
  const check = async (method: string, path: string, body: string, want: string): Promise<void> =>
    expect(`${method} ${path} -> ${await send(method, path, body)}`).toBe(`${method} ${path} -> ${want}`)
  await check('PUT', '/metrics/job/a', 'x 1\n', '200')
  await check(
    'POST',
    '/metrics/job/a',
    'x 1',
    '400 text format parsing error in line 1: unexpected end of input stream',
  )
  await check('PUT', '/metrics/job/a', 'x 1 1234\n', `${INVALID}pushed metrics must not have timestamps`)
  await check('PUT', '/metrics/job/a', '# HELP x other\nx 1\n', '200')
  await check('PUT', '/metrics/job', 'x 1\n', '404 404 page not found')
  await check('PUT', '/metrics/foo/b', 'x 1\n', '404 404 page not found')
  await check('PUT', '/metrics/job/', 'x 1\n', '307 /metrics/job')
  await check('PUT', '/metrics/job//instance/x', 'x 1\n', '301 /metrics/job/instance/x')
  await check('PUT', '/metrics/job@base64/=', 'x 1\n', '400 job name is required')
  await check(
    'PUT',
    '/metrics/job@base64/!!',
    '',
    '400 invalid base64 encoding in job name "": illegal base64 data at input byte 0',
  )
  await check('PUT', '/metrics/job/b/instance', '', '400 odd number of components in label string "/instance"')
  await check('PUT', '/metrics/job/b/__foo/x', '', '400 improper label name "__foo"')
  await check('PUT', '/metrics/job/b/a-b/x', '', '400 improper label name "a-b"')
  await check(
    'PUT',
    '/metrics/job/b/p@base64/a!',
    '',
    '400 invalid base64 encoding for label p="a!": illegal base64 data at input byte 1',
  )
  await check('PUT', '/metrics/job/b/path@base64/L3Zhci90bXA', 'x 1\n', '200')
  await check('GET', '/metrics/job/b', '', '405 Method Not Allowed')
  await check('PATCH', '/metrics/job/b', '', '405 Method Not Allowed')
  await check('POST', '/metrics', '', '405 Method Not Allowed')
  await check('DELETE', '/metrics/job/none', '', '202')
  await check('DELETE', '/metrics/job/a', '', '202')
  await check('PUT', '/api/v1/admin/wipe', '', '404 404 page not found')
  await check('PUT', '/-/quit', '', '403 Lifecycle API is not enabled.')
  await check('GET', '/-/quit', '', '405 Only POST or PUT requests allowed.')
  await check('GET', '/-/ready', '', '200 OK')
  await check('GET', '/-/healthy', '', '200 OK')
  await check('GET', '/nothing', '', '404 404 page not found')
})

test('what contradicts the page is refused with the reason', async () => {
  const registry = new Registry()
  new Counter({ name: 'own_total', help: 'own', registers: [registry] })
  const { send, pushed } = await start({ registry })
  const check = async (body: string, want: RegExp): Promise<void> =>
    expect(await send('PUT', '/metrics/job/b', body)).toMatch(want)
  await send('PUT', '/metrics/job/a', 'x 1\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 3\nh_count 2\n')
  await check('# TYPE x gauge\nx 1\n', /^400 .*: collected metric "x" \{ .*gauge:<value:1 > \} is not a UNTYPED$/)
  await check('y 1\ny 2\n', /collected metric "y" \{ .*\} was collected before with the same name and label values$/)
  await check(
    '# TYPE own_total gauge\nown_total 1\n',
    /gathered metric family own_total has type GAUGE but should have COUNTER$/,
  )
  await check('h_count 1\n', /collected metric named "h_count" collides with previously collected histogram named "h"$/)
  await check('# TYPE h_x summary\nh_x_sum 1\n', /^200/)
  await check('y{__bad="1"} 1\n', /has a label with an invalid name: __bad$/)
  expect(await pushed()).toEqual([
    'h_bucket{instance="",job="a",le="1"} 1',
    'h_bucket{instance="",job="a",le="+Inf"} 2',
    'h_sum{instance="",job="a"} 3',
    'h_count{instance="",job="a"} 2',
    'h_x_sum{instance="",job="b"} 1',
    'h_x_count{instance="",job="b"} 0',
    'own_total 0',
    'x{instance="",job="a"} 1',
  ])
})

test('no accepted push can make another one fail: groups are told apart by what they show', async () => {
  const { send, pushed } = await start()
  await send('PUT', '/metrics/job/a', 'x 1\n')
  expect(await send('PUT', '/metrics/job/a/instance/', 'x 2\n')).toBe('200')
  expect(await pushed()).toEqual(['x{instance="",job="a"} 2'])
  // A label in the body can name another group's series; a label of the group cannot be changed from there.
  await send('PUT', '/metrics/job/a/instance/i', 'x 3\n')
  expect(await send('POST', '/metrics/job/a', 'x{instance="i"} 4\n')).toMatch(/^400 .*was collected before/)
  expect(await send('POST', '/metrics/job/b', 'x{job="a",instance="i"} 4\n')).toBe('200')
  expect(await send('PUT', '/metrics/job/c', 'x 5\n')).toBe('200')
  expect(await send('PUT', '/metrics/job/%ff', 'x 5\n')).toMatch(/^400/)
})

test('PUT replaces the group, POST the families, DELETE exactly the group; group labels win', async () => {
  const { send, pushed } = await start()
  await send('PUT', '/metrics/job/a', 'x 1\ny{job="other",l="v"} 2\n')
  await send('PUT', '/metrics/job/a/instance/i', 'x 3\n')
  await send('POST', '/metrics/job/a', 'y{instance="me"} 4\n')
  expect(await pushed()).toEqual([
    'x{instance="",job="a"} 1',
    'x{instance="i",job="a"} 3',
    'y{instance="me",job="a"} 4',
  ])
  await send('PUT', '/metrics/job/a', 'z 5\n')
  await send('DELETE', '/metrics/job/a')
  expect(await pushed()).toEqual(['x{instance="i",job="a"} 3'])
})

test('both times of a group; a refused push leaves its mark and nothing else', async () => {
  const clock = new ManualClock(1_700_000_000_500)
  const { send, page } = await start({ clock })
  await send('PUT', '/metrics/job/a', 'x 1\npush_time_seconds 7\n')
  await clock.advance(1000)
  await send('PUT', '/metrics/job/a', 'x 1 5\n')
  await send('PUT', '/metrics/job/new', 'x 1 5\n')
  expect((await page()).split('\n').filter((line) => line.startsWith('push_'))).toEqual([
    'push_failure_time_seconds{instance="",job="a"} 1.7000000015e+09',
    'push_failure_time_seconds{instance="",job="new"} 1.7000000015e+09',
    'push_time_seconds{instance="",job="a"} 1.7000000005e+09',
    'push_time_seconds{instance="",job="new"} 0',
  ])
  expect(await page()).toContain('x{instance="",job="a"} 1\n')
})

test('bodies: any content type is text, gzip is unpacked, what is not understood is said', async () => {
  const { send, pushed } = await start({ bodyBytesMax: 1000 })
  const put = (body: string | Buffer, headers: Record<string, string>): Promise<string> =>
    send('PUT', '/metrics/job/a', body, headers)
  expect(await put('x 1\n', { 'content-type': 'application/x-www-form-urlencoded' })).toBe('200')
  expect(await put('x 2\n', { 'content-type': 'application/json' })).toBe('200')
  expect(await put(gzipSync('x 3\n'), { 'content-encoding': 'gzip' })).toBe('200')
  expect(await pushed()).toEqual(['x{instance="",job="a"} 3'])
  expect(await put('x 1\n', { 'content-encoding': 'gzip' })).toBe('400 unexpected EOF')
  expect(await put('x 1 and some more text\n', { 'content-encoding': 'gzip' })).toBe('400 gzip: invalid header')
  expect(await put('x', { 'content-encoding': 'snappy' })).toMatch(/^400 /)
  expect(await put(Buffer.from([0x78, 0xff, 0x0a]), {})).toMatch(/^400 .*UTF-8/)
  const tooLarge = '413 the pushed metrics are larger than the limit of 1000 bytes'
  expect(await put('#'.repeat(1001), {})).toBe(tooLarge)
  expect(await put(gzipSync('#'.repeat(100_000)), { 'content-encoding': 'gzip' })).toBe(tooLarge)
})

test('mounted under a prefix, with slashes in values, admin wipe and the documents', async () => {
  const { send, pushed, app } = await start(
    { enableAdminApi: true, version: '1.2.3', flags: { a: 'b' } },
    '/pushgateway',
  )
  expect(
    await send('PUT', '/metrics/job/a/path/x%2Fy%20z', '# TYPE s summary\ns{quantile="0.5"} 1.5\ns_sum 3\ns_count 2\n'),
  ).toBe('200')
  expect(await send('PUT', '/metrics/job/', '')).toBe('307 /pushgateway/metrics/job')
  expect(await send('PUT', `/metrics/job/long/path/${'x'.repeat(3000)}`, 'x 1\n')).toBe('200')
  expect(await send('DELETE', `/metrics/job/long/path/${'x'.repeat(3000)}`)).toBe('202')
  const document = (await app.inject('/pushgateway/api/v1/metrics')).json<{ data: Record<string, unknown>[] }>()
  const labels = { instance: '', job: 'a', path: 'x/y z' }
  expect(document).toMatchObject({
    status: 'success',
    data: [
      {
        labels: { job: 'a', path: 'x/y z' },
        last_push_successful: true,
        s: { type: 'SUMMARY', metrics: [{ labels, quantiles: { '0.5': '1.5' }, count: '2', sum: '3' }] },
        push_time_seconds: { type: 'GAUGE', metrics: [{ labels, value: '1.7000000005e+09' }] },
      },
    ],
  })
  const status = (await app.inject('/pushgateway/api/v1/status')).json()
  expect(status).toMatchObject({
    status: 'success',
    data: { build_information: { version: '1.2.3' }, flags: { a: 'b' } },
  })
  expect(await send('PUT', '/api/v1/admin/wipe')).toBe('202')
  expect(await pushed()).toEqual([])
})

test('a pushed name that the process has itself stands on the page once', async () => {
  const registry = new Registry()
  new Counter({ name: 'work_total', help: 'own', registers: [registry] })
  const { send, page } = await start({ registry })
  await send('PUT', '/metrics/job/a', '# TYPE work_total counter\nwork_total 5\n')
  expect((await page()).match(/^# TYPE work_total.*|^work_total.*/gm)).toEqual([
    '# TYPE work_total counter',
    'work_total 0',
    'work_total{instance="",job="a"} 5',
  ])
})

test("prom-client's Pushgateway pushes, adds and deletes", async () => {
  const { app, pushed } = await start({}, '/pushgateway')
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const registry = new Registry()
  new Counter({ name: 'runs_total', help: 'runs', registers: [registry] }).inc(3)
  const client = new PushClient(`http://127.0.0.1:${port}/pushgateway`, {}, registry)
  await client.push({ jobName: 'nightly', groupings: { path: 'a/b' } })
  expect(await pushed()).toEqual(['runs_total{instance="",job="nightly",path="a/b"} 3'])
  await client.pushAdd({ jobName: 'nightly' })
  await client.delete({ jobName: 'nightly', groupings: { path: 'a/b' } })
  expect(await pushed()).toEqual(['runs_total{instance="",job="nightly"} 3'])
})

test('with the check off a push is answered 202 and taken as it is', async () => {
  const { send, pushed } = await start({ disableConsistencyCheck: true })
  await send('PUT', '/metrics/job/a', 'x 1\n')
  expect(await send('PUT', '/metrics/job/b', '# TYPE x gauge\nx 2\n')).toBe('202')
  expect(await pushed()).toEqual(['x{instance="",job="a"} 1', 'x{instance="",job="b"} 2'])
})

test('what was acknowledged is there after a restart, with both times', async () => {
  const dataDir = await folder()
  const first = await start({ dataDir })
  await first.send('PUT', '/metrics/job/a', '# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 3\nh_count 2\nx NaN\n')
  await first.send('POST', '/metrics/job/a', 'y +Inf\n')
  await first.send('PUT', '/metrics/job/gone', 'x 1\n')
  await first.send('DELETE', '/metrics/job/gone')
  await first.send('PUT', '/metrics/job/failed', 'x 1 1\n')
  const withoutOwn = (text: string): string => text.replaceAll(/^(?:# (?:HELP|TYPE) )?pushgateway_http.*\n/gm, '')
  const page = withoutOwn(await first.page())
  await first.close()
  for (let restart = 0; restart < 2; restart++) {
    const next = await start({ dataDir })
    expect(withoutOwn(await next.page())).toBe(page)
    await next.close()
  }
})

test('a log cut anywhere, or damaged in the middle, opens with the records that are whole', async () => {
  const dataDir = await folder()
  const first = await start({ dataDir })
  for (let i = 0; i < 3; i++) await first.send('PUT', `/metrics/job/j${i}`, `x ${i}\n`)
  await first.close()
  const logName = (await readdir(join(dataDir, 'pushgateway'))).find((name) => name.startsWith('log.'))!
  const written = await readFile(join(dataDir, 'pushgateway', logName))
  let kept: string[] = []
  const reopen = async (bytes: Buffer): Promise<string[]> => {
    const copy = await folder()
    const inner = join(copy, 'pushgateway')
    await (await start({ dataDir: copy })).close()
    for (const name of await readdir(inner)) await rm(join(inner, name))
    await writeFile(join(inner, logName), bytes)
    const client = await start({ dataDir: copy })
    const lines = await client.pushed()
    await client.close()
    kept = (await readdir(inner)).filter((name) => name.endsWith('.damaged'))
    return lines
  }
  const all = [0, 1, 2].map((i) => `x{instance="",job="j${i}"} ${i}`)
  let seen = 0
  for (let cut = 0; cut <= written.length; cut += 7) {
    const lines = await reopen(written.subarray(0, cut))
    expect(lines).toEqual(all.slice(0, lines.length))
    expect(lines.length).toBeGreaterThanOrEqual(seen)
    seen = lines.length
  }
  expect(await reopen(written)).toEqual(all)
  expect(kept).toEqual([])
  const damaged = Buffer.from(written)
  damaged[20]! ^= 0xff
  expect(await reopen(damaged)).toEqual(all.slice(1))
  expect(kept).toEqual([`${logName}.damaged`])
})

test('a torn tail of the last run is no obstacle to writing on', async () => {
  const dataDir = await folder()
  const inner = join(dataDir, 'pushgateway')
  const first = await start({ dataDir })
  await first.send('PUT', '/metrics/job/a', 'x 1\n')
  await first.send('PUT', '/metrics/job/b', 'x 2\n')
  await first.close()
  const logName = (await readdir(inner)).find((name) => name.startsWith('log.'))!
  await truncate(join(inner, logName), (await readFile(join(inner, logName))).length - 3)
  await appendFile(join(inner, 'log.999.tmp'), 'left over')
  const second = await start({ dataDir })
  expect(await second.pushed()).toEqual(['x{instance="",job="a"} 1'])
  await second.send('PUT', '/metrics/job/c', 'x 3\n')
  await second.close()
  expect(await (await start({ dataDir })).pushed()).toEqual(['x{instance="",job="a"} 1', 'x{instance="",job="c"} 3'])
  expect((await readdir(inner)).sort().map((name) => name.replace(/\d+/, 'N'))).toEqual(['log.N', 'snapshot.N'])
})
