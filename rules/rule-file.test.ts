import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../lib/yaml-config.ts'
import { loadRuleFiles, parseRuleFile } from './index.ts'

function faultsOf(text: string): readonly string[] {
  try {
    parseRuleFile('r.yml', text)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

test('every key is read, the group labels lie under those of the rules', () => {
  const groups = parseRuleFile(
    'r.yml',
    `groups:
  - name: g
    interval: 30s
    query_offset: 1m
    limit: 7
    labels: {team: infra, version: 1.10}
    rules:
      - record: a:b
        expr: 1
        labels: {team: db}
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1h30m
        labels: {severity: "{{ $value }}"}
        annotations: {summary: "{{ $labels.job }} is down"}
  - name: empty
`,
  )
  expect(groups).toEqual([
    {
      file: 'r.yml',
      name: 'g',
      intervalMs: 30_000,
      queryOffsetMs: 60_000,
      limit: 7,
      rules: [
        { kind: 'recording', name: 'a:b', expr: '1', labels: { team: 'db', version: '1.10' } },
        {
          kind: 'alerting',
          name: 'Down',
          expr: 'up == 0',
          labels: { team: 'infra', version: '1.10', severity: '{{ $value }}' },
          annotations: { summary: '{{ $labels.job }} is down' },
          forMs: 300_000,
          keepFiringForMs: 5_400_000,
        },
      ],
    },
    { file: 'r.yml', name: 'empty', intervalMs: undefined, queryOffsetMs: undefined, limit: 0, rules: [] },
  ])
})

test('an empty file and empty sections are fine; only the first document counts', () => {
  expect(parseRuleFile('r.yml', '')).toEqual([])
  expect(parseRuleFile('r.yml', 'groups:')).toEqual([])
  expect(parseRuleFile('r.yml', 'groups:\n- name: a\n  rules:\n')).toHaveLength(1)
  expect(parseRuleFile('r.yml', '# c\n---\ngroups:\n- name: a\n---\nnonsense: 1\n')).toHaveLength(1)
})

const rule = (lines: string): string => `groups:\n- name: g\n  rules:\n${lines.replace(/^/gm, '  ')}`

const FAULTS: readonly (readonly [string, string, readonly string[]])[] = [
  ['an unknown key', 'grups: []', ['r.yml:1:1: grups: unknown key']],
  [
    'an unknown key in a rule',
    rule('- alert: A\n  expr: 1\n  annotation: {}'),
    ['r.yml:6:5: groups.0.rules.0.annotation: unknown key'],
  ],
  [
    'bad durations',
    rule('- alert: A\n  expr: 1\n  for: 5x'),
    ['r.yml:6:5: groups.0.rules.0.for: not a valid duration string: "5x"'],
  ],
  [
    'a bad expression',
    rule('- record: a\n  expr: sum('),
    ['r.yml:5:5: groups.0.rules.0.expr: could not parse expression: 1:5: parse error: '],
  ],
  ['no expression', rule('- record: a'), ["r.yml:4:5: groups.0.rules.0: field 'expr' must be set in rule"]],
  [
    'neither record nor alert',
    rule('- expr: 1'),
    ["r.yml:4:5: groups.0.rules.0: one of 'record' or 'alert' must be set"],
  ],
  [
    'both',
    rule('- record: a\n  alert: b\n  expr: 1'),
    ["r.yml:4:5: groups.0.rules.0: only one of 'record' and 'alert' must be set"],
  ],
  [
    'for on a recording rule',
    rule('- record: a\n  expr: 1\n  for: 1m'),
    ["r.yml:6:5: groups.0.rules.0.for: invalid field 'for' in recording rule"],
  ],
  [
    'a bad label name',
    rule('- record: a\n  expr: 1\n  labels: {__name__: b}'),
    ['r.yml:6:14: groups.0.rules.0.labels.__name__: invalid label name: __name__'],
  ],
  [
    'a bad template',
    rule('- alert: a\n  expr: 1\n  annotations:\n    s: "{{ nope }}"'),
    ['r.yml:7:7: groups.0.rules.0.annotations.s: template: __alert_a:1: function "nope" not defined'],
  ],
  [
    'a group twice',
    'groups:\n- name: a\n- name: a\n',
    ['r.yml:3:3: groups.1.name: groupname: "a" is repeated in the same file'],
  ],
  ['a group without name', 'groups:\n- rules: []\n', ['r.yml:2:3: groups.0: group name must not be empty']],
  [
    'a bad limit',
    'groups:\n- name: a\n  limit: -1\n',
    ['r.yml:3:3: groups.0.limit: expected a whole number, not negative'],
  ],
  [
    'a list for text',
    'groups:\n- name: [a]\n',
    ['r.yml:2:3: groups.0.name: Invalid input: expected string, received array'],
  ],
  [
    'two faults at once',
    rule('- record: a{}\n  expr: sum('),
    ['r.yml:5:5: groups.0.rules.0.expr: could not', 'r.yml:4:5: groups.0.rules.0.record: braces present in'],
  ],
]

test.each(FAULTS)('%s is refused with its place', (_, text, want) => {
  const faults = faultsOf(text)
  expect(faults).toHaveLength(want.length)
  for (const [i, fault] of faults.entries()) expect(fault).toContain(want[i])
})

test('files are found by patterns; faults of all of them are told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'belltower-rules-'))
  try {
    await writeFile(join(folder, 'a.yml'), 'groups: [{name: a}]')
    await writeFile(join(folder, 'b.yml'), 'groups: [{name: b}]')
    expect((await loadRuleFiles(['*.yml', 'a.yml', 'none/*.yml'], folder)).map((g) => [g.file, g.name])).toEqual([
      [join(folder, 'a.yml'), 'a'],
      [join(folder, 'b.yml'), 'b'],
    ])
    await writeFile(join(folder, 'a.yml'), 'x: 1')
    await writeFile(join(folder, 'b.yml'), 'y: 1')
    await expect(loadRuleFiles(['[ab].yml', 'missing.yml'], folder)).rejects.toThrow(
      /a\.yml:1:1: x: unknown key\n.*b\.yml:1:1: y: unknown key\n.*missing\.yml:1:1: ENOENT/,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})

const YARDSTICKS = process.env['BELLTOWER_YARDSTICKS'] ?? join(import.meta.dirname, '../../shared/yardsticks')
const RULEFMT = join(YARDSTICKS, 'rulefmt')
const PROMTOOL_RULES = join(YARDSTICKS, 'promtool-rules')
const hasYardsticks = existsSync(RULEFMT) && existsSync(PROMTOOL_RULES)
if (!hasYardsticks) console.log(`skipped: no rule files at ${YARDSTICKS} (BELLTOWER_YARDSTICKS names another folder)`)

// Only refused when names are limited to the legacy character set, which is a choice of the server's configuration.
const LEGACY_ONLY = 'legacy_validation_annotation.bad.yaml'

describe.skipIf(!hasYardsticks)('the rule files of Prometheus', () => {
  const files = hasYardsticks ? readdirSync(RULEFMT).filter((name) => name !== LEGACY_ONLY) : []

  test('there are some', () => expect(files.length).toBeGreaterThan(10))

  test.each(files)('%s', (name) => {
    const parse = () => parseRuleFile(name, readFileSync(join(RULEFMT, name), 'utf8'))
    if (name.includes('.bad.')) expect(parse).toThrow(ConfigError)
    else expect(parse().length).toBeGreaterThan(0)
  })

  test.each([
    'rules.yml',
    'prometheus-rules.lint.yml',
    'rules_duplicates.yml',
    'at-modifier.yml',
    'negative-offset.yml',
  ])('%s is good', (name) => {
    expect(parseRuleFile(name, readFileSync(join(PROMTOOL_RULES, name), 'utf8')).length).toBeGreaterThan(0)
  })

  test.each(['rules-bad.yml', 'rules_extrafields.yml', 'bad-rules-syntax.yml'])('%s is bad', (name) => {
    expect(() => parseRuleFile(name, readFileSync(join(PROMTOOL_RULES, name), 'utf8'))).toThrow(ConfigError)
  })
})
