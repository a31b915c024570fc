import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseRuleFile, runRuleTestFile } from '../../rules/index.ts'
import { hasProgram } from '../support/programs.ts'

// Goal: rule files and files of unit tests get the verdict that Prometheus gives them. Method: the files that Prometheus
// tests itself with, by the verdict their names or its tests state; and, where a real promtool is here, its own verdict.

const root = process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const rulefmt = join(root, 'rulefmt')
const promtool = join(root, 'promtool-rules')
const areHere = existsSync(rulefmt) && existsSync(promtool)
if (!areHere) console.log(`skipped: no rule files of Prometheus in ${root}`)
const hasPromtool = hasProgram('promtool')
if (!hasPromtool) console.log('skipped: no promtool on PATH (Debian: apt install prometheus)')

const filesIn = (folder: string): string[] =>
  areHere
    ? readdirSync(folder)
        .filter((name) => /\.ya?ml$/.test(name))
        .map((name) => join(folder, name))
    : []

function faultsOf(path: string): string[] {
  try {
    parseRuleFile(path, readFileSync(path, 'utf8'))
    return []
  } catch (error) {
    return (error as { faults?: string[] }).faults ?? [String(error)]
  }
}

/** Files whose names do not say it. `legacy_validation_annotation.bad` is bad only where names must be old-style ones. */
const ACCEPTED_BY_NAME: ReadonlySet<string> = new Set([
  'test.yaml',
  'test_aliases.yaml',
  'legacy_validation_annotation.bad.yaml',
])

test.skipIf(!areHere)('rule files get the verdict in their name', () => {
  const files = filesIn(rulefmt)
  expect(files.length).toBeGreaterThan(10)
  for (const path of files) {
    const name = basename(path)
    const isGood = name.includes('.good.') || ACCEPTED_BY_NAME.has(name)
    const faults = faultsOf(path)
    expect(faults.length === 0, `${name}: ${faults.join('; ')}`).toBe(isGood)
  }
})

/** What Prometheus' own tests expect of its unit-test files. */
const PASSES: Readonly<Record<string, boolean>> = {
  'at-modifier-test.yml': true,
  'bad-input-series.yml': false,
  'bad-promql.yml': false,
  'bad-rules-error-test.yml': false,
  'bad-rules-syntax-test.yml': false,
  'failing.yml': false,
  'long-period.yml': true,
  'negative-offset-test.yml': true,
  'no-test-group-interval.yml': true,
  'rules_run_extrafields.yml': false,
  'rules_run_no_fuzzy.yml': false,
  'start-time-test.yml': true,
  'unittest.yml': true,
}

/**
 * Where 2.42 says otherwise than the newest Prometheus: it does not know `start_timestamp`, `fuzzy_compare` and histograms,
 * and takes a missing interval for none at all.
 */
const OTHERWISE_IN_2_42: ReadonlySet<string> = new Set([
  'no-test-group-interval.yml',
  'start-time-test.yml',
  'unittest.yml',
])

test.skipIf(!areHere).each(Object.entries(PASSES))('unit tests of %s: %s', async (name, passes) => {
  const report = await runRuleTestFile(join(promtool, name))
  expect(report.failures.map(({ text, exp, got }) => [text, exp, got]).slice(0, passes ? 100 : 0)).toEqual([])
  expect(report.failures.length === 0).toBe(passes)
  if (!hasPromtool || OTHERWISE_IN_2_42.has(name)) return
  const theirs = spawnSync('promtool', ['test', 'rules', join(promtool, name)], { timeout: 60_000 })
  expect(theirs.status === 0, theirs.stdout.toString()).toBe(passes)
})

test.skipIf(!areHere)('tests are chosen by name, and compared to the last bit or almost', async () => {
  const run = async (name: string, pattern: RegExp): Promise<[number, boolean]> => {
    const { testCount, failures } = await runRuleTestFile(join(promtool, name), { run: pattern })
    return [testCount, failures.length === 0]
  }
  expect(await run('rules_run.yml', /correct/)).toEqual([1, true])
  expect(await run('rules_run.yml', /wrong/)).toEqual([1, false])
  expect(await run('rules_run_fuzzy.yml', /correct/)).toEqual([1, true])
  expect(await run('rules_run_fuzzy.yml', /wrong/)).toEqual([1, false])
  expect(await run('rules_run_no_fuzzy.yml', /correct/)).toEqual([1, false])
  const lenient = await runRuleTestFile(join(promtool, 'rules_run_extrafields.yml'), {
    run: /correct/,
    ignoreUnknownFields: true,
  })
  expect(lenient.failures).toEqual([])
})
