import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseAlertmanagerConfig } from '../../alertmanager/index.ts'
import { systemClock } from '../../lib/index.ts'
import { registerAlertCommand } from './alert.ts'
import { registerNotifyCommand } from './notify.ts'
import { registerRoutesCommand } from './routes.ts'
import { registerSilenceCommand } from './silence.ts'
import { CommandRig } from './test-support.ts'

const CONFIG = `
route: { receiver: one, group_wait: 1h, routes: [{ matchers: [team=b], receiver: two, continue: true }, { matchers: [team=~"b|c"], receiver: one }] }
receivers: [{ name: one, webhook_configs: [{ url: 'http://127.0.0.1:1/' }] }, { name: two }]
`
let rig: CommandRig

beforeEach(async () => {
  rig = await CommandRig.start(parseAlertmanagerConfig('/etc/a.yml', CONFIG), systemClock)
})
afterEach(() => rig.close())

const belltower = (...words: string[]): Promise<string[]> =>
  rig.run(words, registerAlertCommand, registerSilenceCommand, registerRoutesCommand, registerNotifyCommand)

test('alerts are sent and found', async () => {
  await belltower(
    'alert',
    'add',
    'Down',
    'team=b',
    '--annotation',
    'summary=It is down',
    '--start',
    '2026-01-05T12:00:00Z',
  )
  await belltower('alert', 'add', 'alertname=Up', 'team=c', '--end', new Date(Date.now() + 60_000).toISOString())
  expect(await belltower('alert', 'query', 'Down')).toEqual([
    'Alertname  Starts At                Summary     State',
    'Down       2026-01-05 12:00:00 UTC  It is down  active',
  ])
  const [json] = await belltower('alert', '-o', 'json', 'team=c')
  expect(JSON.parse(json!)).toMatchObject([{ labels: { alertname: 'Up', team: 'c' } }])
  expect((await belltower('alert', '--receiver', 'two', '-o', 'extended')).join('\n')).toContain(
    'alertname="Down" team="b"',
  )
  expect(await belltower('alert', 'query', 'a=~"("')).toEqual([
    expect.stringMatching(/^! belltower: GET .* status 400/),
  ])
  expect(process.exitCode).toBe(1)
})

test('silences are made, found, changed, ended, carried over', async () => {
  expect(await belltower('silence', 'add', 'Down')).toEqual(['! belltower: comment required by default'])
  const [id] = await belltower('silence', 'add', 'Down', 'team!~"x.*"', '-c', 'works', '-a', 'me', '-d', '2h')
  expect(await belltower('silence', 'query', '-q')).toEqual([id])
  expect((await belltower('silence'))[1]).toMatch(
    /^\S+ {2}alertname="Down" team!~"x\.\*" {2}\S+ \S+ UTC {2}me {10}works$/,
  )
  expect(await belltower('silence', 'update', id!, '-c', 'still')).toEqual([id])
  const [exported] = await belltower('silence', 'query', '-o', 'json')
  expect(JSON.parse(exported!)).toMatchObject([{ id, comment: 'still' }])
  await belltower('silence', 'expire', id!)
  expect(await belltower('silence', 'query', '-q')).toEqual([])
  expect(await belltower('silence', 'query', '-q', '--expired', '--within', '1h')).toEqual([id])
  const dir = await mkdtemp(join(tmpdir(), 'silences-'))
  const file = join(dir, 's.json')
  writeFileSync(file, exported!)
  const [copy] = await belltower('silence', 'import', '--force', file)
  expect(copy).not.toBe(id)
  writeFileSync(file, '[{ "matchers": [] }]')
  expect((await belltower('silence', 'import', file)).at(-1)).toBe("! belltower: couldn't import 1 out of 1 silences")
  await rm(dir, { recursive: true })
})

test('routes are shown, tested and explained', async () => {
  expect(await belltower('routes')).toEqual([
    'Routing tree:\n.',
    '└── default-route  receiver: one',
    '    ├── {team="b"}  continue: true  receiver: two',
    '    └── {team=~"b|c"}  receiver: one',
  ])
  expect(await belltower('routes', 'test', 'team=b', '--verify.receivers', 'two,one')).toEqual(['two,one'])
  expect(process.exitCode).toBe(0)
  await belltower('routes', 'test', 'team=x', '--verify.receivers', 'two')
  expect(process.exitCode).toBe(1)
  expect((await belltower('routes', 'explain', 'alertname=Down', 'team=c')).join('\n')).toContain(
    'No such alert has arrived',
  )
})

test('a receiver is tried', async () => {
  expect(await belltower('notify', 'test', '--receiver', 'one')).toEqual([
    expect.stringMatching(/^webhook\[0\] FAILED: .*ECONNREFUSED/),
  ])
  expect(process.exitCode).toBe(1)
  expect(await belltower('notify', 'test', '--receiver', 'nobody')).toEqual([
    expect.stringContaining('no route leads to a receiver "nobody"'),
  ])
})
