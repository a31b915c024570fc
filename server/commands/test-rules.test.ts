import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { registerTestCommand } from './test-rules.ts'

const folders: string[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const RULES = `
groups:
  - name: g
    rules:
      - { record: 'job:x:sum', expr: 'sum by (job) (x)' }
      - alert: High
        expr: job:x:sum > 5
        for: 2m
        labels: { severity: '{{ if gt $value 4.0 }}page{{ else }}ticket{{ end }}' }
        annotations: { summary: '{{ $labels.job }} at {{ $value }} in {{ $externalLabels.zone }}' }
`
const TESTS = `
rule_files: [rules.yml]
tests:
  - name: goes up
    interval: 1m
    external_labels: { zone: eu }
    input_series:
      - { series: 'x{job="a",n="1"}', values: '0+1x10' }
      - { series: 'x{job="a",n="2"}', values: '1x10' }
    alert_rule_test:
      - { eval_time: 6m, alertname: High, exp_alerts: [] }
      - eval_time: 8m
        alertname: High
        exp_alerts:
          - exp_labels: { job: a, severity: page }
            exp_annotations: { summary: a at 9 in eu }
    promql_expr_test:
      - { expr: 'job:x:sum', eval_time: 3m, exp_samples: [{ labels: 'job:x:sum{job="a"}', value: WANT }] }
`

async function run(want: number, ...flags: string[]): Promise<{ out: string; exitCode: number; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'test-rules-'))
  folders.push(folder)
  await writeFile(join(folder, 'rules.yml'), RULES)
  await writeFile(join(folder, 'tests.yml'), TESTS.replace('WANT', String(want)))
  const lines: string[] = []
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((line) => void lines.push(line))
  const program = new Command()
  registerTestCommand(program)
  const resolved = flags.map((flag) => flag.replace('FOLDER', folder))
  await program.parseAsync(['test', 'rules', ...resolved, join(folder, 'tests.yml')], { from: 'user' })
  const exitCode = Number(process.exitCode ?? 0)
  process.exitCode = undefined
  return { out: lines.join('\n'), exitCode, folder }
}

test('what is as expected is a success', async () => {
  const { out, exitCode } = await run(4)
  expect(out).toMatch(/^Unit Testing: {2}.*tests\.yml\n {2}SUCCESS\n$/)
  expect(exitCode).toBe(0)
})

test('what differs is shown, as lists or line by line, and as JUnit', async () => {
  const plain = await run(5, '--junit=FOLDER/junit.xml')
  expect(plain.exitCode).toBe(1)
  expect(plain.out).toContain('FAILED:')
  expect(plain.out).toContain('exp: {__name__="job:x:sum", job="a"} 5E+00')
  expect(plain.out).toContain('got: {__name__="job:x:sum", job="a"} 4E+00')
  const junit = await readFile(join(plain.folder, 'junit.xml'), 'utf8')
  expect(junit).toContain('failures="1"')
  const diff = await run(5, '--diff')
  expect(diff.out).toMatch(/- \{.*5E\+00\n +\+ \{.*4E\+00/)
})

test('tests are chosen by name', async () => {
  expect((await run(5, '--run=nothing like it')).exitCode).toBe(0)
  expect((await run(5, '--run=goes')).exitCode).toBe(1)
})
