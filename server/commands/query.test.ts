// The command's output beside promtool's, on the same server.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { hasProgram } from '../../tests/support/programs.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'
import { registerQueryCommand } from './query.ts'

const NOW = Math.floor(Date.now() / 1000) - 60
let server: TestServer

beforeAll(async () => {
  server = await startTestServer({}, '')
  await server.write(
    [1.5, 1e-9, 1e21, Number.NaN].flatMap((value, i) => [
      { labels: ['__name__', 'a', 'i', `${i}`, 'odd', 'x"\\ü'], timestampMs: NOW * 1000, value },
      { labels: ['__name__', 'b.c', 'i', `${i}`], timestampMs: NOW * 1000 + 250, value },
    ]),
  )
})
afterAll(() => server.stop())
afterEach(() => vi.restoreAllMocks())

async function run(...args: string[]): Promise<string[]> {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  registerQueryCommand(program)
  await program.parseAsync(['query', ...args], { from: 'user' })
  return lines
}

const CASES: readonly (readonly string[])[] = [
  ['instant', `--time=${NOW}`, 'a'],
  ['instant', `--time=${NOW}`, '1e21 + 0.5'],
  ['instant', `--time=${NOW}`, 'a[1m]'],
  ['range', `--start=${NOW}`, `--end=${NOW + 30}`, '--step=10s', 'a > 0'],
]

describe.skipIf(!hasProgram('promtool'))('as promtool prints', () => {
  test.each(CASES.map((args) => [args.join(' '), args] as const))('%s', async (_, args) => {
    const theirs = await promisify(execFile)('promtool', ['query', ...args.slice(0, -1), server.url, args.at(-1)!])
    const ours = await run(...args.slice(0, -1), `--server.url=${server.url}`, args.at(-1)!)
    expect(ours.sort()).toEqual(theirs.stdout.trimEnd().split('\n').sort())
    expect((await run(...args.slice(0, -1), server.url, args.at(-1)!)).sort()).toEqual(ours)
  })
})

test('series, label values, JSON', async () => {
  expect(await run('series', '--match={i="1"}', `--server.url=${server.url}`)).toEqual([
    '{__name__="a", i="1", odd="x\\"\\\\ü"}',
    '{__name__="b.c", i="1"}',
  ])
  expect(await run('labels', `--server.url=${server.url}`, '--match=a', 'i')).toEqual(['0', '1', '2', '3'])
  expect(await run('instant', '--format=json', `--time=${NOW}`, `--server.url=${server.url}`, '1')).toEqual([
    `[${NOW},"1"]`,
  ])
})

test('explain shows the plan, and with --run what it did', async () => {
  const lines = await run('explain', '--run', `--time=${NOW}`, `--server.url=${server.url}`, 'sum(a)')
  expect(lines[0]).toMatch(/series expected +samples expected +series +samples +ms$/)
  expect(lines[1]).toMatch(/^sum +sum\(a\) +1 +\d+ +1 +1 +[\d.]+$/)
  expect(lines[2]).toMatch(/^ {2}vectorSelector +a +4 +\d+ +4 +4 +[\d.]+$/)
  const range = await run(
    'explain',
    `--start=${NOW}`,
    `--end=${NOW + 60}`,
    '--step=15s',
    `--server.url=${server.url}`,
    'a',
  )
  expect(range[0]).toMatch(/samples expected$/)
})

test.each([
  [['instant', '1 +'], 'query error: bad_data: invalid parameter "query"'],
  [['instant', 'a', 'b'], 'expected one argument'],
  [['range', '--start=x', 'a'], 'not a time: x'],
  [['instant', '--server.url=http://127.0.0.1:1', '1'], 'cannot reach http://127.0.0.1:1'],
])('%j fails', async (args, why) => {
  const url = args.some((arg) => arg.startsWith('--server.url')) ? [] : [`--server.url=${server.url}`]
  await expect(run(...args, ...url)).rejects.toThrow(why)
})
