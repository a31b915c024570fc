import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock, systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { labelsToRecord } from '../../model/index.ts'
import type { TargetGroup } from './discovery.ts'
import { fileDiscovery } from './file.ts'
import { httpDiscovery } from './http.ts'

const cleanups: (() => unknown)[] = []
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'belltower-sd-'))
  cleanups.push(() => rm(folder, { recursive: true }))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function until<T>(read: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 1000; i++) {
    const value = read()
    if (value !== undefined && value !== false) return value as T
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('waited too long')
}

const addresses = (groups: readonly TargetGroup[]): string[] =>
  groups.flatMap((group) => group.targets.map((labels) => labelsToRecord(labels)['__address__']!))

function watchFiles(
  files: string[],
  refreshIntervalMs = 3_600_000,
): { seen: string[][]; last: () => readonly TargetGroup[] } {
  const discovery = fileDiscovery({ files, refreshIntervalMs }, { clock: systemClock, logger: silentLogger })
  cleanups.push(() => discovery.stop())
  const seen: string[][] = []
  let last: readonly TargetGroup[] = []
  discovery.run((groups) => {
    last = groups
    seen.push(addresses(groups))
  })
  return { seen, last: () => last }
}

test('files: JSON and YAML by pattern, changes are noticed, each target knows its file', async () => {
  const json = join(folder, 'a.json')
  await writeFile(json, '[{"targets": ["a:1", "a:2"], "labels": {"env": "x"}}]')
  await writeFile(join(folder, 'b.yml'), '- targets: [b:1]\n')
  await writeFile(join(folder, 'c.txt'), 'not ours')
  const { seen, last } = watchFiles([join(folder, '*.json'), join(folder, 'b.*')])
  expect(await until(() => seen[0])).toEqual(['a:1', 'a:2', 'b:1'])
  expect(labelsToRecord(last()[0]!.targets[0]!)).toEqual({ __address__: 'a:1', __meta_filepath: json, env: 'x' })

  await writeFile(join(folder, 'd.json'), '[{"targets": ["d:1"]}]')
  await until(() => seen.at(-1)!.includes('d:1'))
  // Replacing by rename, as careful writers do.
  await writeFile(join(folder, 'tmp'), '[{"targets": ["a:3"]}]')
  await rename(join(folder, 'tmp'), json)
  await until(() => seen.at(-1)!.includes('a:3'))
  await rm(join(folder, 'd.json'))
  await until(() => seen.at(-1)!.join() === 'a:3,b:1')
})

test('files: a long one in YAML is read like a short one', async () => {
  const long = [...Array(600).keys()].map((i) => `- targets: [a:${i}]\n  labels: { rack: 'r${i}' }\n`).join('')
  const path = join(folder, 'long.yml')
  await writeFile(path, long)
  const { seen, last } = watchFiles([path])
  expect(await until(() => seen[0])).toEqual([...Array(600).keys()].map((i) => `a:${i}`))
  expect(labelsToRecord(last()[599]!.targets[0]!)).toEqual({
    __address__: 'a:599',
    __meta_filepath: path,
    rack: 'r599',
  })
  await writeFile(path, `${long}- targets: [`)
  await writeFile(path, `${long}- targets: [b:1]`)
  await until(() => seen.at(-1)!.includes('b:1'))
})

test.each([
  '[{"targets": [',
  '{}',
  '[{"targets": "a:1"}]',
  '[{"targets": ["a:1"], "label": {}}]',
  '[{"labels": {"a": 1}}]',
])('files: %j keeps the old targets', async (bad) => {
  const file = join(folder, 'a.json')
  await writeFile(file, '[{"targets": ["a:1"]}]')
  const { seen } = watchFiles([file, join(folder, 'b.json')])
  await until(() => seen.length > 0)
  await writeFile(file, bad)
  await writeFile(join(folder, 'b.json'), '[{"targets": ["b:1"]}]')
  expect(await until(() => seen.at(-1)!.includes('b:1') && seen.at(-1))).toEqual(['a:1', 'b:1'])
})

test('files: a folder may come later, go and come back', async () => {
  const later = join(folder, 'above', 'later')
  const { seen } = watchFiles([join(later, '*.yaml')])
  expect(await until(() => seen[0])).toEqual([])
  for (const target of ['a:1', 'a:2']) {
    await mkdir(later, { recursive: true })
    await writeFile(join(later, 'a.yaml'), `- targets: ['${target}']`)
    await until(() => seen.at(-1)!.join() === target)
    await rm(join(folder, 'above'), { recursive: true })
    // What cannot be listed stays.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(seen.at(-1)).toEqual([target])
  }
})

test('files: exchanged by symbolic links, as Kubernetes and releases do', async () => {
  for (const version of ['1', '2', '3', '4']) {
    await mkdir(join(folder, version))
    await writeFile(join(folder, version, 'a.json'), `[{"targets": ["a:${version}"]}]`)
  }
  const [mount, current] = [join(folder, 'mount'), join(folder, 'current')]
  const point = async (link: string, version: string): Promise<void> => {
    await symlink(join(folder, version), `${link}_new`)
    await rename(`${link}_new`, link)
  }
  await mkdir(mount)
  await point(join(mount, '..data'), '1')
  await symlink(join('..data', 'a.json'), join(mount, 'a.json'))
  await point(current, '3')
  const mounted = watchFiles([join(mount, '*.json')])
  const released = watchFiles([join(current, 'a.json')])
  await until(() => mounted.seen.at(-1)?.join() === 'a:1' && released.seen.at(-1)?.join() === 'a:3')
  await point(join(mount, '..data'), '2')
  await point(current, '4')
  await until(() => mounted.seen.at(-1)!.join() === 'a:2' && released.seen.at(-1)!.join() === 'a:4')
  // And the new folder is the one that is watched.
  await writeFile(join(folder, '4', 'a.json'), '[{"targets": ["a:5"]}]')
  await until(() => released.seen.at(-1)!.join() === 'a:5')
})

test('files: a folder that never rests is read all the same; what did not change is not told', async () => {
  const file = join(folder, 'a.json')
  await writeFile(file, '[{"targets": ["a:1"]}]')
  const { seen } = watchFiles([file])
  await until(() => seen[0])
  let busy = true
  const noise = (async () => {
    for (let i = 0; busy; i++) {
      await writeFile(join(folder, 'log'), String(i))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  await writeFile(file, '[{"targets": ["a:2"]}]')
  await until(() => seen.at(-1)!.join() === 'a:2')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  busy = false
  await noise
  expect(seen).toEqual([['a:1'], ['a:2']])
})

test('files: labels in YAML are texts, whatever they look like; without a value there is none', async () => {
  const labels = '{rack: 12, version: 1.10, ok: true, day: 2024-01-01, no: ~, none: null, empty: }'
  await writeFile(join(folder, 'a.yml'), `- targets: ['a:1']\n  labels: ${labels}\n- targets: ['a:2']\n  labels:\n`)
  const { seen, last } = watchFiles([join(folder, 'a.yml')])
  expect(await until(() => seen[0])).toEqual(['a:1', 'a:2'])
  const { __meta_filepath: _path, ...found } = labelsToRecord(last()[0]!.targets[0]!)
  expect(found).toEqual({ __address__: 'a:1', rack: '12', version: '1.10', ok: 'true', day: '2024-01-01' })
})

test('http: asks at intervals, keeps the last list on failure', async () => {
  let answer: [number, string, string] = [200, 'application/json; charset=utf-8', '[{"targets": ["a:1"]}]']
  let asked = 0
  let interval: unknown
  const server = createServer((req, res) => {
    asked++
    interval = req.headers['x-prometheus-refresh-interval-seconds']
    res.writeHead(answer[0], { 'Content-Type': answer[1] }).end(answer[2])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`
  const clock = new ManualClock()
  const discovery = httpDiscovery({ url, refreshIntervalMs: 30_000 }, { clock, logger: silentLogger })
  cleanups.push(() => discovery.stop())
  const seen: (readonly TargetGroup[])[] = []
  discovery.run((groups) => seen.push(groups))
  const advanceUntil = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 1000 && !done(); i++) {
      await clock.advance(30_000)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const nextAnswer = (): Promise<void> => {
    const before = asked
    return advanceUntil(() => asked > before)
  }
  await nextAnswer()
  await until(() => seen.length > 0)
  expect(labelsToRecord(seen[0]![0]!.targets[0]!)).toEqual({ __address__: 'a:1', __meta_url: url })
  expect(interval).toBe('30')
  for (const bad of [
    [500, 'application/json', '[]'],
    [200, 'text/html', '[]'],
    [200, 'application/json', '{}'],
  ] as const) {
    answer = [...bad]
    await nextAnswer()
  }
  answer = [200, 'application/json', '[]']
  await advanceUntil(() => seen.at(-1)!.length === 0)
  expect(new Set(seen.map((groups) => groups.length))).toEqual(new Set([1, 0]))
})
