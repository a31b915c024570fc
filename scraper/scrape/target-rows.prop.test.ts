import fc from 'fast-check'
import { expect, test } from 'vitest'
import { twinLockstep, wasmLockstep } from '../../kernels/index.ts'
import { labelsKey, type Labels, parseExposition, withLabels, METRIC_NAME } from '../../model/index.ts'
import { PageMemory } from './page-memory.ts'
import { RecordingStore } from './recording-store.ts'
import type { ScrapeReport } from './report-series.ts'
import { TargetRows } from './target-rows.ts'
import { dropping, REPORT, RULES } from './testing.ts'

const TARGET: Labels = ['instance', 'h:1', 'job', 'j']
const OWN_RULES = { ...RULES, honorLabels: true, honorTimestamps: false, relabel: dropping('dropped') }
const JUNK = 55
const REPORT_NAMES = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
]

/** What the general parser makes of a page, `undefined` where it refuses it. First of equal series wins. */
function wanted(body: Uint8Array): Map<string, number> | undefined {
  const samples = new Map<string, number>()
  try {
    parseExposition(body, 'text', {
      sample: ({ labels, value, emptyLabels }) => {
        const pairs = Array.from({ length: labels.length / 2 }, (_, i) => [labels[i * 2]!, labels[i * 2 + 1]!] as const)
        const emptied = emptyLabels.map((name) => [name, ''] as const)
        const key = labelsKey(withLabels(TARGET, [...pairs, ...emptied]))
        if (!labels.includes('dropped') && !samples.has(key)) samples.set(key, value)
      },
    })
  } catch {
    return undefined
  }
  return samples
}

const number = fc.oneof(
  fc.constantFrom('0', '-0', '1', '1e+06', '1.5e-05', 'NaN', '+Inf', '-Inf', '0.30000000000000004', '9007199254740993'),
  fc.constantFrom(
    '1.7976931348623157e+308',
    '5e-324',
    '1234567890123456789',
    '1e22',
    '1e23',
    '1e-22',
    '1e-23',
    '.5',
    '7.',
  ),
  fc.constantFrom('123456789012345678901234567890', '+5', '00012', '1e5', '1E-3', '0e999', '0.000000000000000000001'),
  fc.integer().map(String),
  fc.double().map((value) => String(value)),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => value.toExponential().replace(/e\+(\d)$/, 'e+0$1')),
)
const broken = fc.constantFrom('', 'x', '1e', '1_0', '0x10', '1e400', '--1', '1.2.3', '{', '1\r', 'é')
const key = fc.constantFrom(
  'a',
  'b ',
  'c{x="1"}',
  'c{x="2"}',
  'c{x="2",}',
  'c{ x = "3" } ',
  'd{s="dropped"}',
  'e{v="a \\"} 5\\\\"}',
  'up',
  '{"quoted.name"}',
  'h_bucket{le="+Inf"}',
  'f{long="0123456789012345678901234567890123456789"}',
  'g{u="ü"}',
  '  i ',
  'scrape_series_added{job="other"}',
  'job_taken{job=""}',
)
const suffix = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, fc.constantFrom(' ', '\t', ' 123', ' 9x', ' 1 1'))
const line = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .tuple(key, number, suffix)
      .map(([k, n, s]) => (k.endsWith('}') || k.endsWith(' ') ? k + n + s : `${k} ${n}${s}`)),
  },
  { weight: 1, arbitrary: fc.tuple(key, broken).map(([k, n]) => `${k} ${n}`) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '# HELP a text',
      '# TYPE h histogram',
      '# remark',
      '',
      '  ',
      '#',
      '# TYPE a bad',
      '# HELP',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('a{x="open', 'a{x="y} 1', 'a{x=1} 1', '{x="1"} 1', 'a', 'a}b 1', '1a 1') },
)
type Step = { readonly kind: string; readonly at: number; readonly line: string; readonly cut: number }
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('value', 'value', 'value', 'value', 'insert', 'remove', 'swap', 'cut', 'fail', 'line', 'same'),
  at: fc.nat(30),
  line,
  cut: fc.nat(400),
})

function change(lines: readonly string[], { kind, at, line: text }: Step): string[] {
  const next = [...lines]
  const i = at % Math.max(1, next.length)
  if (kind === 'value' && next[i] !== undefined) {
    const value = text.split(' ').at(-1) ?? ''
    next[i] = next[i].replace(/\S*$/, value === '' ? '0' : value)
  } else if (kind === 'insert') next.splice(i, 0, text)
  else if (kind === 'remove') next.splice(i, 1)
  else if (kind === 'swap') next.push(...next.splice(i, 1))
  else if (kind === 'line') next[i] = text
  return next
}

const report = (up: boolean): ScrapeReport => ({
  ...REPORT,
  up,
  durationMs: 1.5,
  samplesScraped: 1,
  samplesKept: 1,
})

test.each([
  ['kernel', wasmLockstep, 1500],
  ['twin', twinLockstep, 300],
] as const)(
  'whatever pages follow each other, the rows say what the general parser reads (%s)',
  (_name, create, runs) => {
    const memory = new PageMemory(create)
    const receiver = memory.receiver()
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), fc.array(step, { maxLength: 12 }), (first, steps) => {
        const store = new RecordingStore()
        const rows = new TargetRows({ memory, store, appendable: undefined }, TARGET, OWN_RULES)
        let lines = first
        let before = new Map<string, number>()
        let timeMs = 1000
        for (const [i, one] of [{ kind: 'same', at: 0, line: '', cut: 0 }, ...steps].entries()) {
          lines = change(lines, one)
          let body: Uint8Array = Buffer.from(`${lines.join('\n')}${i % 2 === 0 ? '\n' : ''}`)
          if (one.kind === 'cut') body = body.subarray(0, one.cut % (body.length + 1))
          // As the network delivers it: behind other bytes, in a place that the next page overwrites.
          if (one.at % 2 === 0) {
            receiver.fill(JUNK)
            receiver.set(body, one.cut)
            body = receiver.subarray(one.cut, one.cut + body.length)
          }
          const want = one.kind === 'fail' ? undefined : wanted(body)
          let failed = one.kind === 'fail'
          try {
            if (!failed) rows.read(body, 'text')
          } catch (error) {
            expect((error as { code?: string }).code).toBe('ERR_EXPOSITION')
            failed = true
          }
          expect(failed).toBe(want === undefined)
          timeMs += 1000
          if (failed) void rows.writeFailed(timeMs, report(false))
          else void rows.write(timeMs, report(true))
          check(store.groups[0]!.rows.at(-1)!.samples, want ?? new Map(), before, want !== undefined)
          before = want ?? new Map()
        }
        rows.close()
      }),
      { numRuns: runs },
    )
  },
  120_000,
)

/** The row holds the page, the report, and one stale marker for each series that was there in the row before. */
function check(
  got: ReadonlyMap<string, number | 'stale'>,
  want: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  up: boolean,
): void {
  const expected = new Map<string, number | 'stale'>()
  for (const key of before.keys()) expected.set(key, 'stale')
  for (const name of REPORT_NAMES) {
    const value = { up: up ? 1 : 0, scrape_duration_seconds: 0.0015, scrape_series_added: 0 }[name] ?? 1
    expected.set(labelsKey(withLabels(TARGET, [[METRIC_NAME, name]])), value)
  }
  for (const [key, value] of want) expected.set(key, value)
  const sorted = (map: ReadonlyMap<string, unknown>): unknown[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(sorted(got)).toEqual(sorted(expected))
}
