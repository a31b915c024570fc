// Prometheus' own scripts of expressions and answers, every one of them, each instant evaluation repeated at other times by `@`
// and as the middle of a range. Twice: over a store that hands out whole columns, and over one that hands out only what it is
// asked for, which tells whether enough is asked for.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { runScript } from '../../promql/testing/promqltest.ts'

const yardsticks =
  process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const folder = join(yardsticks, 'promqltest')
const isThere = existsSync(folder)
if (!isThere) console.log(`promql: skipped, no scripts in ${folder}`)

const FILES = 21
const EVALUATIONS = 2214

describe.skipIf(!isThere)('PromQL scripts', () => {
  const files = isThere ? readdirSync(folder).filter((name) => name.endsWith('.test')) : []
  let passed = 0
  let total = 0

  test.each(files)('%s', (file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const report = runScript(text)
    passed += report.passed
    total += report.total
    console.log(`${file}: ${report.passed} of ${report.total}`)
    expect(report.failures).toEqual([])
    expect(runScript(text, { cutsToHints: true }).failures).toEqual([])
  })

  test('none is missing', () => {
    expect({ files: files.length, evaluations: total }).toEqual({ files: FILES, evaluations: EVALUATIONS })
  })

  afterAll(() => console.log(`promql: ${passed} of ${total} evaluations pass, in ${files.length} files`))
})
