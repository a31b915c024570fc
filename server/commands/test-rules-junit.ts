import type { RuleTestReport } from '../../rules/index.ts'

/** The results as build servers read them: a suite for each file. */
export function junitText(reports: readonly RuleTestReport[]): string {
  const suites = reports.map(({ file, testCount, failures }) => {
    const cases = failures.map(
      ({ text, exp, got }) =>
        `    <testcase name="${escaped(text)}"><failure>${escaped(exp === undefined ? text : `exp: ${exp}\ngot: ${got}`)}</failure></testcase>\n`,
    )
    const head = `  <testsuite name="${escaped(file)}" tests="${Math.max(testCount, failures.length)}" failures="${failures.length}">\n`
    return `${head}${cases.join('')}  </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
}

const escaped = (text: string): string => text.replace(/[&<>"\n]/g, (char) => ENTITIES[char]!)
