import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { registerCheckCommand } from './check-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'check-'))
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

const DOUBLED = `
groups:
  - name: g
    rules:
      - { record: x, expr: '1', labels: { a: b } }
      - { record: x, expr: '2', labels: { a: b } }
      - { record: x, expr: '2', labels: { a: c } }
`

test('rules that write the same are warned of, and fatal only when asked', async () => {
  const path = join(folder, 'rules.yml')
  writeFileSync(path, DOUBLED)
  const lines: string[] = []
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((line) => void lines.push(line))
  const run = async (...flags: string[]): Promise<[number, string[]]> => {
    lines.length = 0
    const program = new Command()
    registerCheckCommand(program)
    await program.parseAsync(['check', 'rules', ...flags, path], { from: 'user' })
    const exitCode = Number(process.exitCode ?? 0)
    process.exitCode = undefined
    return [exitCode, lines.slice(1)]
  }
  const warning = `${path}: lint: 2 rules write x{a="b"}: which one counts depends on their order`
  expect(await run()).toEqual([0, [warning]])
  expect(await run('--lint-fatal')).toEqual([3, [warning]])
  expect(await run('--lint=none', '--lint-fatal')).toEqual([0, []])
})
