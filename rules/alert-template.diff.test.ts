import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorMessage } from '../lib/index.ts'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type InstantValue, labelsFromRecord } from '../model/index.ts'
import { compileAlertTemplate } from './index.ts'

// Real Prometheus expands the same texts for the same alert; its test command compares them with what we say.

const LABELS = { __name__: 'm', instance: 'web-1.example.org:9100', job: 'node', path: '/a b?c=<d>&"e"', dc: 'eu' }
const VALUE = 1234.5678
const TIME_MS = 60_000
const OTHER = [
  { labels: { __name__: 'o', dc: 'b', n: '10' }, value: 2 },
  { labels: { __name__: 'o', dc: 'a', n: '9' }, value: 0.001 },
]

const TEMPLATES: readonly string[] = [
  'plain text',
  '{{ $value }} {{ .Value }} {{ $labels.job }} {{ .Labels.job }} {{ $labels.nope }}',
  '{{ $labels }}',
  '{{ $externalURL }} {{ .ExternalURL }} {{ $externalLabels.region }} {{ $externalLabels }}',
  '{{ printf "%.2f %5.1f|%-10s|%+d %e %g %x %t %q %v %%" $value $value $labels.job 3 $value $value 255 true $labels.path $value }}',
  '{{ printf "%d %s %s" $value $value }} {{ printf "%s" 1 2 }}',
  '{{ printf "%.0f %.0f %.1f %.3g %.10g %08.3f" 0.5 2.5 0.25 $value 100000.0 $value }}',
  '{{ printf "%v %v %v %v" 1e20 1e21 1e-5 123456789.0 }}',
  '{{ printf "%6.2f|%-8v|%08d|%x|%X|%c|%U|%q" 3.14159 "ab" 42 "hi" "hi" 65 8364 "\\u20ac\\n" }}',
  '{{ printf "%T %T %T %T" $value 1 "s" $labels }}',
  '{{ humanize 0.0 }} {{ humanize 1.0 }} {{ humanize 1234567.0 }} {{ humanize .00001234 }} {{ humanize -12345.0 }} {{ humanize "1e30" }}',
  '{{ humanize1024 0.0 }} {{ humanize1024 1024.0 }} {{ humanize1024 1234567.0 }} {{ humanize1024 -1048576.0 }} {{ humanize1024 "NaN" }}',
  '{{ humanizeDuration 0.0 }} {{ humanizeDuration 1.0 }} {{ humanizeDuration 59.123456 }} {{ humanizeDuration 3600.0 }} {{ humanizeDuration 899999.0 }} {{ humanizeDuration 0.00123 }} {{ humanizeDuration -65.0 }} {{ humanizeDuration "+Inf" }}',
  '{{ humanizePercentage -0.22222 }} {{ humanizePercentage 0.1234567 }} {{ humanizePercentage 1.0 }}',
  '{{ humanizeTimestamp 1435065584.128 }} {{ humanizeTimestamp 0.0 }} {{ humanizeTimestamp "NaN" }}',
  '{{ (toTime 1435065584.128).Format "2006-01-02T15:04:05.000Z07:00 Monday Jan _2 3:04PM" }} {{ (1435065584.0 | toTime).Year }}',
  '{{ parseDuration "1h30m" }} {{ parseDuration "2d" | humanizeDuration }}',
  '{{ title "hello wORLD" }} {{ toUpper "aé" }} {{ toLower "AÉ" }}',
  '{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }} {{ stripPort "[::1]:80" }} {{ stripDomain "1.2.3.4:80" }} {{ stripDomain "h.x" }} {{ stripPort "x" }}',
  '{{ match "we.-[0-9]" $labels.instance }} {{ match "^x" "ax" }} {{ reReplaceAll "(.*):.*" "$1-${1}x $$" "h:1" }} {{ reReplaceAll "a(?P<n>.)" "<${n}>" "abac" }}',
  '{{ graphLink "up{a=\\"b\\"}" }} {{ tableLink "up + 1" }} {{ urlquery $labels.path }}',
  '{{ html $labels.path }} {{ js $labels.path }} {{ safeHtml "<b>" }}',
  '{{ query "sort_desc(o)" | first | value }} {{ query "sort_desc(o)" | first | label "dc" }} {{ with query "nothing" }}x{{ else }}none{{ end }}',
  '{{ range query "sort_desc(o)" }}{{ .Labels.dc }}={{ .Value }};{{ end }} {{ range query "sort_desc(o)" | sortByLabel "n" }}{{ .Labels.n }},{{ end }}',
  '{{ len (query "sort_desc(o)") }} {{ (index (query "sort_desc(o)") 1).Value }} {{ range $i, $s := query "sort_desc(o)" }}{{ $i }}{{ $s.Labels.__name__ }}{{ end }}',
  '{{ query "1 + 1" | first | value }} {{ query "\\"text\\"" | first | strvalue }}',
  '{{ range query "sort_desc(o)" }}{{ range query (printf "o{dc=\\"%s\\"}" .Labels.dc) }}{{ .Value }} {{ end }}{{ end }}',
  '{{ if gt $value 1000.0 }}big{{ else if lt $value 10.0 }}small{{ else }}mid{{ end }}',
  '{{ if eq $labels.job "x" "node" }}y{{ end }}{{ if ne $labels.job "node" }}n{{ end }}{{ if and true (not false) }}a{{ end }}{{ or "" "dflt" }}',
  '{{ define "t" }}[{{ .arg0 }} {{ .arg1 }}]{{ end }}{{ template "t" (args 1 "x") }}',
  '{{ with $labels.job }}{{ . }}{{ $.Value }}{{ end }}{{ with $x := 5 }}{{ $x }}{{ end }}',
  '{{ range $k, $v := $labels }}{{ $k }};{{ end }}',
  'a {{- " b " -}} c {{/* note */}} d {{- /* note */ -}} e',
  '{{ $x := 1 }}{{ range query "sort_desc(o)" }}{{ $x = .Value }}{{ end }}{{ $x }}',
  '{{ range query "sort_desc(o)" }}{{ if eq .Labels.dc "b" }}{{ continue }}{{ end }}{{ .Labels.dc }}{{ break }}{{ end }}',
  '{{ index $labels "job" }} {{ slice "abcdef" 1 3 }} {{ len $labels.job }} {{ print 1 2 "a" "b" 3 }} {{ println "x" 1 }}end',
  '{{ 1 }} {{ -1.5 }} {{ 0x1F }} {{ 1e3 }} {{ 1_000 }} {{ true }} {{ "q\\t" }} {{ `raw` }} {{ \'a\' }}',
  '{{ humanize 1 }} {{ humanizeDuration 90 }} {{ printf "%v" (humanize 5.0) }}',
  '{{ block "b" $value }}<{{ . }}>{{ end }}',
  '{{ args 1 "b" }} {{ (args 1).arg0 }} {{ nil | print }}{{ print nil }}',
  '{{ 1 | printf "%d-%d" 2 }} {{ "a" | toUpper | printf "%s%s" "b" }}',
  '{{ and 1 0 }} {{ and 1 2 }} {{ or 0 0.0 "" "z" }} {{ not 0 }} {{ eq 1 1 }} {{ lt "a" "b" }} {{ ge 2 2 }}',
  // Errors become the text.
  '{{ .Nope }}',
  '{{ $labels.a.b }}',
  'x\ny {{ .Value.Foo }}',
  '{{ query "nothing" | first | value }}',
  '{{ query "bad(" }}',
  '{{ eq $value 5 }}',
  '{{ gt $value "x" }}',
  '{{ template "missing" }}',
  '{{ template "missing" .Value }}',
  '{{ humanize "abc" }}',
  '{{ humanize .Labels }}',
  '{{ toUpper 5 }}',
  '{{ toUpper $value }}',
  '{{ toUpper "a" "b" }}',
  '{{ index $labels 5 }}',
  '{{ index (query "sort_desc(o)") 7 }}',
  '{{ len 5 }} ',
  '{{ $value "x" }}',
  '{{ 5 "x" }}',
  '{{ reReplaceAll "(" "" "x" }}',
  '{{ printf 5 }}',
  '{{ nil }}',
  '{{ range 5.5 }}{{ end }}',
  '{{ parseDuration "x" }}',
  '{{ slice "abc" 2 1 }}',
  '{{ slice "abc" 9 }}',
  '{{ "é" }}{{ .Labels.job.x }}',
  '{{ (query "sort_desc(o)").Foo }}',
  '{{ with (query "sort_desc(o)") }}{{ (index . 0).Bar }}{{ end }}',
  '{{ define "e" }}{{ .Value.x }}{{ end }}{{ template "e" . }}',
  '{{ if lt .Labels 5 }}{{ end }}',
  '{{ html }}|{{ print }}|{{ urlquery "a" 1 }}',
  '{{ call $value }}',
  '{{ not }}',
]

async function query(expr: string): Promise<InstantValue> {
  if (expr === 'bad(') throw new Error('1:5: parse error: unclosed left parenthesis')
  if (expr === '1 + 1') return { type: 'scalar', timestampMs: TIME_MS, value: 2 }
  if (expr === '"text"') return { type: 'string', timestampMs: TIME_MS, value: 'text' }
  const dc = /^(?:sort_desc\(o\)|o\{dc="(.)"\})$/.exec(expr)
  const samples = dc ? OTHER.filter((s) => dc[1] === undefined || s.labels.dc === dc[1]) : []
  return {
    type: 'vector',
    samples: samples.map((s) => ({ labels: labelsFromRecord(s.labels), timestampMs: TIME_MS, value: s.value })),
  }
}

/** Ours, in the words around an error that Prometheus uses. */
async function expand(alertName: string, text: string): Promise<string> {
  try {
    return await compileAlertTemplate(alertName, text).expand({
      labels: labelsFromRecord(LABELS),
      externalLabels: labelsFromRecord({ region: 'eu' }),
      externalUrl: 'http://prom.example/base',
      value: VALUE,
      timeMs: TIME_MS,
      query,
    })
  } catch (error) {
    // Prometheus 2 had no histograms as values, which shows in the name of the type.
    const message = errorMessage(error).replace('Value interface {}', 'Value float64')
    return `<error expanding template: error executing template __alert_${alertName}: ${message}>`
  }
}

const promtool = spawnSync('promtool', ['--version'], { encoding: 'utf8' })
const hasPromtool = promtool.status === 0
if (!hasPromtool) console.log('skipped: promtool is not on PATH (Debian: apt install prometheus)')

test.skipIf(!hasPromtool)('templates expand as in promtool', { timeout: 60_000 }, async () => {
  const names = TEMPLATES.map((_, i) => `T${String(i).padStart(3, '0')}`)
  const ours = await Promise.all(TEMPLATES.map((text, i) => expand(names[i]!, text)))
  const folder = await mkdtemp(join(tmpdir(), 'belltower-templates-'))
  try {
    const rules = names.map((alert, i) => ({ alert, expr: 'm', annotations: { text: TEMPLATES[i] } }))
    await writeFile(join(folder, 'rules.yml'), stringify({ groups: [{ name: 'g', rules }] }))
    const { __name__: _, ...labels } = LABELS
    const series = (s: { labels: Record<string, string>; value: number }) => ({
      series: `${s.labels['__name__']}{${Object.entries(s.labels)
        .filter(([name]) => name !== '__name__')
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}}`,
      values: `${s.value}x5`,
    })
    const tests = [
      {
        interval: '1m',
        input_series: [series({ labels: LABELS, value: VALUE }), ...OTHER.map(series)],
        external_labels: { region: 'eu' },
        external_url: 'http://prom.example/base',
        alert_rule_test: names.map((alertname, i) => ({
          eval_time: '1m',
          alertname,
          exp_alerts: [{ exp_labels: labels, exp_annotations: { text: ours[i] } }],
        })),
      },
    ]
    await writeFile(
      join(folder, 'test.yml'),
      stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests }),
    )
    const run = spawnSync('promtool', ['test', 'rules', join(folder, 'test.yml')], { encoding: 'utf8', cwd: folder })
    expect(run.stdout + run.stderr).toContain('SUCCESS')
    expect(run.status).toBe(0)
  } finally {
    await rm(folder, { recursive: true })
  }
})
