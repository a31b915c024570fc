// Goal: every command on a data folder does what it says, and says in one line what is wrong.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../../tests/support/belltower.ts'
import { CommandError } from './alert-client.ts'
import { registerTsdbCommand } from './tsdb.ts'

const { path: folder, remove } = temporaryFolder()
const data = join(folder, 'data')
const page = join(folder, 'page.om')
const SECONDS = 1_700_006_400

beforeAll(() => {
  const lines = ['# TYPE requests counter']
  for (let i = 0; i < 600; i++) {
    lines.push(`requests_total{job="j",instance="${i % 2}",path="a\\nb"} ${i / 10} ${SECONDS + (i >> 1) * 30}.${i % 2}`)
  }
  writeFileSync(page, `${lines.join('\n')}\n# EOF\n`)
})
afterAll(() => remove())
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

async function run(...args: string[]): Promise<string> {
  let output = ''
  vi.spyOn(console, 'log').mockImplementation((line: string) => void (output += `${line}\n`))
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (output += String(text)) !== '')
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  registerTsdbCommand(program)
  await program.parseAsync(['tsdb', ...args], { from: 'user' })
  vi.restoreAllMocks()
  return output
}

const own = ['--storage.tsdb.path', data]

test('import, list, analyze, verify, dump, export, snapshot, restore', { timeout: 60_000 }, async () => {
  expect(await run('import', ...own, '--openmetrics', page)).toBe('600 samples imported, in 2 blocks\n')
  const listed = (await run('list', ...own)).trimEnd().split('\n')
  expect(listed).toHaveLength(3)
  expect(listed[0]).toMatch(/^BLOCK ULID +MIN TIME +MAX TIME +DURATION +SERIES +SAMPLES +SIZE +LEVEL +HOLDS$/)
  expect(listed[1]).toMatch(/^[0-9A-Z]{26} {2}2023-11-15T00:00:00Z .* 2h +2 +480 .* 1 +samples$/)
  const blocks = JSON.parse(await run('list', ...own, '--json')) as { stats: { numSamples: number } }[]
  expect(blocks.map(({ stats }) => stats.numSamples)).toEqual([480, 120])
  expect(await run('analyze', ...own)).toMatch(/^series +2$[\s\S]*^together .* B\/sample$[\s\S]*^requests_total +2$/m)
  expect(await run('verify', ...own)).toMatch(/^clean: 2 blocks, /)
  const range = ['--min-time', String(SECONDS), '--max-time', `${SECONDS}.2`]
  expect(await run('dump', ...own, ...range, '--match', 'requests_total{instance="1"}')).toBe(
    `{__name__="requests_total", instance="1", job="j", path="a\\nb"} 0.1 ${SECONDS}100\n`,
  )
  const again = join(folder, 'again.om')
  expect(await run('export', ...own, '--openmetrics', again)).toBe('600 samples exported\n')
  const blocksOut = join(folder, 'blocks')
  expect(await run('export', ...own, '--prometheus', blocksOut, '--json')).toBe('{"blocks":2,"samples":600}\n')
  expect(readdirSync(blocksOut)).toHaveLength(2)

  const snapshot = (await run('snapshot', ...own)).trim()
  const restored = join(folder, 'restored')
  await run('restore', '--storage.tsdb.path', restored, snapshot)
  await expect(run('restore', '--storage.tsdb.path', restored, snapshot)).rejects.toThrow('is not empty')
  expect(await run('export', '--storage.tsdb.path', restored, '--openmetrics', '-')).toBe(readFileSync(again, 'utf8'))
  const both = join(folder, 'both')
  await run('import', '--storage.tsdb.path', both, '--prometheus', blocksOut)
  expect(await run('export', '--storage.tsdb.path', both, '--openmetrics', '-')).toBe(readFileSync(again, 'utf8'))
})

test('damage is found, set aside, and said', { timeout: 60_000 }, async () => {
  const damaged = ['--storage.tsdb.path', join(folder, 'damaged')]
  await run('import', ...damaged, '--openmetrics', page)
  const [block] = JSON.parse(await run('list', ...damaged, '--json')) as { ulid: string }[]
  const file = join(folder, 'damaged', block!.ulid, 'data')
  const bytes = readFileSync(file)
  bytes[0]! ^= 4
  writeFileSync(file, bytes)
  expect(await run('verify', ...damaged)).toContain(`${block!.ulid}: `)
  expect(process.exitCode).toBe(1)
  const repaired = await run('repair', ...damaged)
  expect(repaired).toContain(`set aside: ${join('quarantine', block!.ulid)}\nrepaired\n`)
  expect(await run('verify', ...damaged)).toMatch(/^clean: 1 blocks/)
  expect(await run('repair', ...damaged)).toBe('clean: nothing to repair\n')
})

test('what cannot be done is said in one line', { timeout: 60_000 }, async () => {
  const fails = (...args: string[]) => run(...args).catch((error: Error) => error)
  const nowhere = ['--storage.tsdb.path', join(folder, 'nowhere')]
  for (const command of ['list', 'analyze', 'verify', 'repair', 'dump', 'snapshot']) {
    const error = await fails(command, ...nowhere)
    expect(error).toBeInstanceOf(CommandError)
    expect((error as Error).message).toContain('there is no folder')
  }
  const theirs = join(folder, 'theirs')
  await run('export', ...own, '--prometheus', theirs)
  expect(String(await fails('analyze', '--storage.tsdb.path', theirs))).toContain('holds blocks of Prometheus')
  const foreign = join(folder, 'foreign')
  mkdirSync(foreign)
  expect(String(await fails('verify', '--storage.tsdb.path', foreign))).toContain('is no data folder')
  expect(String(await fails('import', ...own))).toContain('give either --prometheus or --openmetrics')
  expect(String(await fails('import', ...own, '--prometheus', foreign))).toContain('there is no block of Prometheus')
  const held = join(folder, 'held')
  await run('import', '--storage.tsdb.path', held, '--openmetrics', page)
  writeFileSync(join(held, 'lock'), `${process.pid} \n`)
  expect(String(await fails('verify', '--storage.tsdb.path', held))).toContain('in use by another process')
  writeFileSync(join(folder, 'bad.om'), 'a 1\n# EOF\n')
  expect(String(await fails('import', ...own, '--openmetrics', join(folder, 'bad.om')))).toContain('line 1: ')
  writeFileSync(join(folder, 'bad.om'), `a 1 ${SECONDS}\na 1 ${SECONDS}000\n# EOF\n`)
  expect(String(await fails('import', ...own, '--openmetrics', join(folder, 'bad.om')))).toContain(
    'line 2: the sample is of the future',
  )
})
