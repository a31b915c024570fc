// The cases of the OpenMetrics specification, scraped: refused where the specification says so, but for those that Prometheus
// takes as well; each of these is checked against the real one where it is installed.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parseExposition } from '../../model/index.ts'
import { hasProgram } from '../support/programs.ts'
import { scrapedByBoth } from '../support/scraped-by-both.ts'

const yardsticks =
  process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const folder = join(yardsticks, 'openmetrics')
const isThere = existsSync(folder)
if (!isThere) console.log(`skipped: no OpenMetrics cases in ${folder}`)
const hasPeer = hasProgram('prometheus')
if (!hasPeer) console.log('in part skipped: no prometheus on PATH')

const contentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Where 3 is laxer than 2.42: exemplars may stand behind every kind of sample, a comma behind the last label. */
const NEWER = /does not support exemplars|expected label name, got "BCLOSE"/

describe.skipIf(!isThere)('OpenMetrics cases', () => {
  const names = isThere ? readdirSync(folder).sort() : []
  const cases = names.map((name) => ({
    name,
    shouldParse: (JSON.parse(readFileSync(join(folder, name, 'test.json'), 'utf8')) as { shouldParse: boolean })
      .shouldParse,
    body: readFileSync(join(folder, name, 'metrics')),
  }))
  const refusal = (body: Uint8Array): string | undefined => {
    try {
      parseExposition(body, 'openmetrics', {})
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }
  const laxer = cases.filter(({ shouldParse, body }) => !shouldParse && refusal(body) === undefined)

  test('there are all of them', () => expect(cases.length).toBeGreaterThanOrEqual(211))

  test.each(cases.filter(({ shouldParse }) => shouldParse))('$name is taken', ({ body }) => {
    expect(refusal(body)).toBeUndefined()
  })

  test.skipIf(!hasPeer)('every verdict is that of Prometheus', { timeout: 120_000 }, async () => {
    const { theirs, ours } = await scrapedByBoth(cases.map(({ body }) => ({ contentType, body })))
    const different = cases.flatMap(({ name }, i) =>
      theirs[i]!.up === ours[i]!.up || NEWER.test(theirs[i]!.lastError)
        ? []
        : [`${name}: ${theirs[i]!.lastError || 'taken'} / ${ours[i]!.lastError || 'taken'}`],
    )
    expect(different).toEqual([])
  })

  afterAll(() => {
    if (laxer.length > 0)
      console.log(`taken against the specification, as by Prometheus: ${laxer.map(({ name }) => name).join(', ')}`)
  })
})
