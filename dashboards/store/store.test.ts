import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '../../lib/log.ts'
import { DashboardStore } from './store.ts'

let dir: string
let nowMs = 1000
const logger = createLogger({ level: 'error' })
const open = (path = '') =>
  DashboardStore.open({ dataDir: dir, clock: { nowMs: () => nowMs++ } as never, logger, path })

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'belltower-boards-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('what was saved is there after opening again, with its versions, folder and star', async () => {
  const store = await open()
  const folder = await store.createFolder('Shop team')
  const first = await store.save({
    dashboard: { title: 'Überblick', panels: [] },
    folderUid: folder.uid,
    message: 'first',
  })
  await store.save({ dashboard: { ...first.json, title: 'Overview' }, message: 'renamed' })
  await store.star(first.uid, true)
  const again = await open()
  expect(await again.get(first.uid)).toMatchObject({
    title: 'Overview',
    version: 2,
    folderTitle: 'Shop team',
    isStarred: true,
  })
  expect((await again.versions(first.uid)).map(({ version, message }) => [version, message])).toEqual([
    [2, 'renamed'],
    [1, 'first'],
  ])
  expect(await again.version(first.uid, 1)).toMatchObject({ title: 'Überblick' })
})

test('a board of the newest form goes by its name', async () => {
  const board = {
    metadata: { name: 'v2-board' },
    spec: { title: 'New', elements: {}, layout: { kind: 'GridLayout', spec: {} } },
  }
  const store = await open()
  expect(await store.save({ dashboard: board })).toMatchObject({ uid: 'v2-board', title: 'New' })
  const path = join(dir, 'files')
  await mkdir(path)
  await writeFile(join(path, 'other.json'), JSON.stringify({ ...board, metadata: { name: 'from-file' } }))
  expect((await (await open(path)).list()).map(({ uid }) => uid).sort()).toEqual(['from-file', 'v2-board'])
})

test('a save on an old version is refused unless it overwrites', async () => {
  const store = await open()
  const { json, uid } = await store.save({ dashboard: { title: 'a', panels: [] } })
  await store.save({ dashboard: { ...json, title: 'b' } })
  await expect(store.save({ dashboard: { ...json, title: 'c' } })).rejects.toMatchObject({
    code: 'ERR_DASHBOARD_CONFLICT',
  })
  expect(await store.save({ dashboard: { ...json, title: 'c' }, overwrite: true })).toMatchObject({ uid, version: 3 })
})

test.each(['../x', 'a/b', '__proto__/', ''.padEnd(41, 'x')])('the uid %j cannot leave the folder', async (uid) => {
  const store = await open()
  await expect(store.save({ dashboard: { uid, title: 'a', panels: [] } })).rejects.toMatchObject({ httpStatus: 412 })
})

test('a folder of files: found by its names, read again when changed, refused for saving', async () => {
  const path = join(dir, 'files')
  await mkdir(join(path, 'Linux'), { recursive: true })
  await writeFile(join(path, 'Linux', 'host.json'), JSON.stringify({ uid: 'host', title: 'Host', panels: [] }))
  await writeFile(join(path, 'broken.json'), '{')
  const store = await open(path)
  expect(await store.list()).toMatchObject([{ uid: 'host', folderTitle: 'Linux', provisioned: true }])
  await expect(store.save({ dashboard: { uid: 'host', title: 'x', panels: [] } })).rejects.toMatchObject({
    code: 'ERR_DASHBOARD_READ_ONLY',
  })
  await writeFile(join(path, 'Linux', 'host.json'), JSON.stringify({ uid: 'host', title: 'Host 2', panels: [] }))
  expect((await store.get('host')).title).toMatch(/^Host/)
})

test("Grafana's provisioning file names the folders", async () => {
  await mkdir(join(dir, 'prov', 'boards'), { recursive: true })
  await writeFile(
    join(dir, 'prov', 'default.yaml'),
    'apiVersion: 1\nproviders:\n  - name: default\n    folder: Team\n    type: file\n    options: { path: boards }\n',
  )
  await writeFile(join(dir, 'prov', 'boards', 'My Board.json'), JSON.stringify({ title: 'Mine', rows: [] }))
  const store = await open(join(dir, 'prov'))
  expect(await store.list()).toMatchObject([{ uid: 'my-board', title: 'Mine', folderTitle: 'Team' }])
})

test('deleted is gone', async () => {
  const store = await open()
  const { uid } = await store.save({ dashboard: { title: 'a', panels: [] } })
  await store.remove(uid)
  await expect((await open()).get(uid)).rejects.toMatchObject({ code: 'ERR_DASHBOARD_NOT_FOUND' })
})
