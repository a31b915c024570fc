import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorMessage } from '../../lib/index.ts'
import { ConfigError } from '../../lib/yaml-config.ts'
import { ALL_FEATURES, parseExpr } from '../../promql/index.ts'
import { loadRuleFiles } from '../rule-file.ts'
import { parseRuleTestFile, type RuleTestFile } from './test-file.ts'
import { type RuleTestFailure, runRuleTest } from './run-test.ts'

export interface RuleTestReport {
  readonly file: string
  readonly testCount: number
  /** None: success. */
  readonly failures: readonly RuleTestFailure[]
}

export interface RuleTestOptions {
  /** Only tests whose name matches. */
  readonly run?: RegExp
  readonly ignoreUnknownFields?: boolean
}

/** Runs a file of unit tests in promtool's format with the rule files that it names. */
export async function runRuleTestFile(path: string, options: RuleTestOptions = {}): Promise<RuleTestReport> {
  try {
    const file = parseRuleTestFile(path, await readFile(path, 'utf8'))
    const groups = await loadRuleFiles(file.ruleFiles, dirname(path), {
      checkExpr: (text) => void parseExpr(text, ALL_FEATURES),
      ...(options.ignoreUnknownFields ? { ignoreUnknownFields: true } : {}),
    })
    return { file: path, ...(await runAll(file, groups, options.run)) }
  } catch (error) {
    const faults = error instanceof ConfigError ? error.faults : [errorMessage(error)]
    return { file: path, testCount: 0, failures: faults.map((text) => ({ text })) }
  }
}

async function runAll(
  file: RuleTestFile,
  groups: Awaited<ReturnType<typeof loadRuleFiles>>,
  run: RegExp | undefined,
): Promise<{ testCount: number; failures: RuleTestFailure[] }> {
  const chosen = file.tests.filter(({ name }) => run === undefined || run.test(name))
  const failures: RuleTestFailure[] = []
  for (const test of chosen) failures.push(...(await runRuleTest(test, file, groups)))
  return { testCount: chosen.length, failures }
}
