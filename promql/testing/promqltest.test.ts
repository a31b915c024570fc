import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runScript } from './promqltest.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(process.env.BELLTOWER_YARDSTICKS ?? join(root, '../shared/yardsticks'), 'promqltest')

/** Evaluations in each file, all of which pass. */
const EVALUATIONS: Readonly<Record<string, number>> = {
  'aggregators.test': 160,
  'at_modifier.test': 78,
  'collision.test': 2,
  'duration_expression.test': 59,
  'extended_vectors.test': 169,
  'fill-modifier.test': 46,
  'functions.test': 431,
  'histograms.test': 185,
  'info.test': 53,
  'limit.test': 37,
  'literals.test': 25,
  'name_label_dropping.test': 30,
  'native_histograms.test': 522,
  'operators.test': 214,
  'range_queries.test': 18,
  'selectors.test': 31,
  'staleness.test': 17,
  'start_timestamps.test': 26,
  'subquery.test': 34,
  'trig_functions.test': 19,
  'type_and_unit.test': 58,
}

describe.skipIf(!existsSync(folder))('Prometheus scripts', () => {
  test.each(Object.entries(EVALUATIONS))('%s', (file, total) => {
    const report = runScript(readFileSync(join(folder, file), 'utf8'))
    expect(report.failures).toEqual([])
    expect(report.total).toBe(total)
  })

  test('every script is listed', () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.test'))).toEqual(Object.keys(EVALUATIONS).sort())
  })
})

test.runIf(!existsSync(folder))(`Prometheus scripts: skipped, there is no ${folder}`, () => {
  console.log(`promqltest: skipped, no scripts in ${folder} (set BELLTOWER_YARDSTICKS)`)
})

describe('own scripts', () => {
  const own = join(import.meta.dirname, '../testdata')
  test.each(readdirSync(own))('%s', (file) => {
    const report = runScript(readFileSync(join(own, file), 'utf8'))
    expect(report.failures).toEqual([])
    expect(report.total).toBeGreaterThan(0)
  })
})

test('a script with a wrong expectation fails', () => {
  const report = runScript('load 1m\n m 1 2\n\neval instant at 1m m\n m 3\n')
  expect(report).toMatchObject({ total: 1, passed: 0, failures: [{ line: 4, why: 'm: 2 instead of 3' }] })
})
