import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseExposition, readExposition, writeExposition } from '../index.ts'

const root = process.env['BELLTOWER_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks')
const here = existsSync(root)
if (!here) console.warn(`skipped: no yardstick data at ${root}`)

/**
 * Pages the specification refuses and Prometheus takes: its parser checks lines, not what lines mean together (order and
 * grouping of families, values and labels that fit the type). A target that Prometheus scrapes must not fail here.
 */
const LAXER = new RegExp(
  `^(${[
    'bad_clashing_names_\\d+',
    'bad_counter_values_\\d+',
    'bad_exemplars_on_unallowed_(metric_types|samples)_\\d+',
    // Longer than 128 characters: a matter for the exemplar store.
    'bad_exemplar_complex_chars|bad_exemplars_6',
    'bad_grouping_or_ordering_(0|2|3|4|5|6|7|8|9|10)',
    'bad_histograms_(0|1|2|3|6|7|8|9|10|11|12|13|14)',
    'bad_info_and_stateset_values_\\d+',
    'bad_metadata_in_wrong_place_\\d+',
    // A comma behind the last label.
    'bad_missing_or_extra_commas_2',
    'bad_missing_or_invalid_labels_for_a_type_\\d+',
    'bad_repeated_metadata_(0|1|3)',
    'bad_stateset_info_values_\\d+',
    // Units of types that should have none.
    'bad_unit_(6|7)',
  ].join('|')})$`,
)

describe.skipIf(!here)('yardsticks', () => {
  const folder = join(root, 'openmetrics')
  test.each(here ? readdirSync(folder) : [])('openmetrics %s', (name) => {
    const { shouldParse } = JSON.parse(readFileSync(join(folder, name, 'test.json'), 'utf8')) as {
      shouldParse: boolean
    }
    const body = readFileSync(join(folder, name, 'metrics'))
    const parse = (): void => parseExposition(body, 'openmetrics', {})
    if (shouldParse || LAXER.test(name)) expect(parse).not.toThrow()
    else expect(parse).toThrow()
  })

  const pages = join(root, 'expositions')
  test.each(here ? readdirSync(pages) : [])('page %s', (name) => {
    const format = name.includes('.om.') ? 'openmetrics' : 'text'
    // One recording of an OpenMetrics page lacks its last line.
    const text = readFileSync(join(pages, name), 'utf8')
    const whole = format === 'text' || text.trimEnd().endsWith('# EOF') ? text : `${text}# EOF\n`
    const families = readExposition(Buffer.from(whole), format)
    expect(families.length).toBeGreaterThan(0)
    // Written as text and read again, nothing is lost (types that text does not know aside).
    const samples = families.flatMap((family) =>
      family.samples.map(({ labels, value, timestampMs }) => [labels, value, timestampMs]),
    )
    const again = readExposition(Buffer.from(writeExposition(families)), 'text')
    expect(
      again
        .flatMap((family) => family.samples.map(({ labels, value, timestampMs }) => [labels, value, timestampMs]))
        .sort(),
    ).toEqual(samples.sort())
  })
})
