import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDocument, stringify } from 'yaml'
import { NOT_PLAIN, readPlainYaml } from './yaml-subset.ts'

/** What the reader of whole YAML makes of it; `NOT_PLAIN` where it finds fault. */
function whole(text: string, scalarsAsText: boolean): unknown {
  const options = { merge: true, uniqueKeys: true, prettyErrors: false }
  const doc = parseDocument(text, { ...options, ...(scalarsAsText ? { schema: 'failsafe' as const } : {}) })
  return doc.errors.length > 0 || doc.warnings.length > 0 ? NOT_PLAIN : doc.toJS()
}

/** Whether it was read without the other; if so, the same. */
function agrees(text: string): boolean {
  const results = [false, true].map((scalarsAsText) => {
    const plain = readPlainYaml(text, { scalarsAsText })
    if (plain !== NOT_PLAIN) expect(plain, text).toStrictEqual(whole(text, scalarsAsText))
    return plain !== NOT_PLAIN
  })
  return results[0]!
}

const CONFIG = `# What a job looks like
global:
  scrape_interval: 15s
  external_labels: { zone: eu-1, 'rack': "a\\tb" }
rule_files: [rules/*.yml, "x.yml"]   # two
storage:
  tsdb:
    out_of_order_time_window: 30d
scrape_configs:
- job_name: node
  honor_labels: true
  sample_limit: 1000
  static_configs:
    - targets: ['127.0.0.1:9100', localhost:9101]
      labels: { instance: 'it''s', __metrics_path__: '/t/0/metrics' }
    -
      targets:
      - a.b:80
  relabel_configs:
    - source_labels: [__address__, job]
      regex: '(.*):\\d+'
      target_label: host
      replacement: $1
    - {action: labeldrop, regex: tmp_.*}
empty:
nothing: ~
ratio: 0.25
list: []
object: {}
`

test('a file as people write them is read', () => {
  expect(readPlainYaml(CONFIG)).toStrictEqual(whole(CONFIG, false))
  expect(readPlainYaml(CONFIG)).toMatchObject({ storage: { tsdb: { out_of_order_time_window: '30d' } }, ratio: 0.25 })
})

test.each([
  'a: 1\na: 2',
  'a: b: c',
  'a: [1, 2',
  'a: x\n  y',
  'a: *b',
  'a: |\n  text',
  'a:\n   b: 1\n  c: 2',
  'a: \t1',
  'a: 1\n---\nb: 2',
  '? a\n: b',
  '<<: {a: 1}',
  "a: 'x' y",
  'a: [b] c',
  'a: "x"#c',
  '__proto__: 1',
  'a: 0x1F',
  'a: .5',
  'a: -',
  'a: {b: , c: 1}',
  '- a',
  '',
])('%j is left to the reader of whole YAML', (text) => {
  expect(readPlainYaml(text)).toBe(NOT_PLAIN)
})

const scalar = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^[-+.0-9a-fxo_eE:]{1,8}$/),
  fc.constantFrom(
    'null',
    'true',
    'No',
    '~',
    '.inf',
    '30d',
    '5m',
    '0x1',
    '1e3',
    '-1',
    '01',
    '1_0',
    'a: b',
    'a #b',
    ' a',
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.stringMatching(/^[a-z_]{1,6}$/), fc.string({ maxLength: 5 })), tie('tree'), {
      maxKeys: 4,
    }),
  ),
}))

test('what is read equals what the reader of whole YAML makes of it: documents as they are printed', () => {
  let readCount = 0
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), tree, { minKeys: 1, maxKeys: 4 }), (value) => {
      if (agrees(stringify(value, { lineWidth: 0 }))) readCount++
      agrees(stringify(value, { lineWidth: 0, collectionStyle: 'flow' }))
      agrees(stringify(value, { indentSeq: false, defaultStringType: 'QUOTE_SINGLE' }))
    }),
    { numRuns: 500 },
  )
  expect(readCount).toBeGreaterThan(50)
})

/** Bytes that mean something, put in, left out or swapped. */
const edit = fc.record({
  at: fc.nat(CONFIG.length - 1),
  remove: fc.nat(3),
  insert: fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '  ',
      '\n',
      '\n  ',
      ':',
      ': ',
      '- ',
      '-',
      '#',
      ' #',
      ',',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '?',
    ),
    fc.constantFrom(
      '&a ',
      '*a',
      '!',
      '|',
      '>',
      '%',
      '@',
      '`',
      '<<',
      '\\',
      '\t',
      '\r\n',
      '~',
      '0',
      'é',
      '\u00a0',
      '...',
    ),
    // Most files with these in them are read.
    fc.constantFrom('x', '7', '_', 'ab', '.', ' x'),
  ),
})

test('what is read equals what the reader of whole YAML makes of it: files with slips in them', () => {
  let readCount = 0
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let text = CONFIG
      for (const { at, remove, insert } of edits) text = text.slice(0, at) + insert + text.slice(at + remove)
      if (agrees(text)) readCount++
    }),
    { numRuns: 2000 },
  )
  expect(readCount).toBeGreaterThan(200)
})
