/** `belltower test rules FILE…`: unit tests of rules in promtool's format, with its exit code and manner of reporting. */
import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { type RuleTestFailure, type RuleTestReport, runRuleTestFile } from '../../rules/index.ts'
import { diffText, indented } from './test-rules-text.ts'
import { junitText } from './test-rules-junit.ts'

interface TestRulesFlags {
  readonly run?: RegExp
  readonly diff?: boolean
  readonly ignoreUnknownFields?: boolean
  readonly junit?: string
}

export function registerTestCommand(program: Command): void {
  program
    .command('test')
    .description('run unit tests')
    .command('rules')
    .description('unit tests of rule files, in the format of promtool test rules')
    .argument('<file...>')
    .option('--run <regex>', 'only tests whose name matches', readRegex)
    .option('--diff', 'show what differs line by line')
    .option('--ignore-unknown-fields', 'pass over keys that rule files do not have')
    .option('--junit <file>', 'write the results as JUnit XML too')
    .action(async (paths: string[], flags: TestRulesFlags) => {
      if (!(await testRules(paths, flags))) process.exitCode = 1
    })
}

/** @returns whether every test of every file passed */
async function testRules(paths: readonly string[], flags: TestRulesFlags): Promise<boolean> {
  const reports: RuleTestReport[] = []
  for (const path of paths) {
    console.log(`Unit Testing:  ${path}`)
    const report = await runRuleTestFile(path, flags)
    reports.push(report)
    if (report.failures.length === 0) console.log('  SUCCESS\n')
    else console.error(`  FAILED:\n${report.failures.map((failure) => failureText(failure, flags)).join('\n\n')}\n`)
  }
  if (flags.junit !== undefined) await writeFile(flags.junit, junitText(reports))
  return reports.every(({ failures }) => failures.length === 0)
}

function failureText({ text, exp, got }: RuleTestFailure, { diff }: TestRulesFlags): string {
  const head = indented(text, 4)
  if (exp === undefined || got === undefined) return head
  if (diff) return `${head}\n${indented(diffText(exp, got), 8)}`
  return `${head}\n${indented(`exp: ${exp}`, 8)},\n${indented(`got: ${got}`, 8)}`
}

function readRegex(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw new InvalidArgumentError('not a regular expression')
  }
}
