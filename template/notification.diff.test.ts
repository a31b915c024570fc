import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { labelsFromRecord } from '../model/index.ts'
import { alertmanagerFunctions, type NotificationInput, notificationData, parseTemplates } from './index.ts'

// The real Alertmanager's tool renders the same texts with the same data.

const LABELS = { severity: 'page', alertname: 'DiskFull', instance: 'web-1:9100', path: '/a b?c=<d>&"e"+\'f\'' }
const ANNOTATIONS = {
  summary: 'Disk <b>full</b> & "more"',
  url: 'https://x.example/?q=a b&c=d',
  evil: 'javascript:alert(1)',
}
const START_MS = Date.UTC(2026, 10, 21, 3, 4, 5, 60)

const alert = (status: 'firing' | 'resolved', i: number) => ({
  status,
  labels: labelsFromRecord({ ...LABELS, n: String(i) }),
  annotations: labelsFromRecord(ANNOTATIONS),
  startsAtMs: START_MS + i * 1000,
  endsAtMs: START_MS + 3_600_000,
  generatorUrl: 'http://prom.example/graph?g0.expr=up%20%3D%3D+0&g0.tab=1',
  fingerprint: `000000000000000${i}`,
})

const INPUT: NotificationInput = {
  receiver: 'team.x/mail',
  status: 'firing',
  alerts: [alert('firing', 1), alert('resolved', 2), alert('firing', 3)],
  groupLabels: labelsFromRecord({ alertname: 'DiskFull', dc: 'eu' }),
  commonLabels: labelsFromRecord(LABELS),
  commonAnnotations: labelsFromRecord(ANNOTATIONS),
  routeLabels: [],
  externalUrl: 'http://am.example/base',
  notificationReason: '',
}

const TEXTS: readonly string[] = [
  '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }}',
  '{{ if gt (len .CommonLabels) (len .GroupLabels) }}({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}',
  '{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}',
  '{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }} {{ .CommonLabels.Names }} {{ .CommonAnnotations.Values }}',
  '{{ range .Alerts.Resolved }}{{ .Labels.n }} {{ .Status }} {{ .Fingerprint }} {{ .GeneratorURL }}{{ end }}',
  '{{ range $i, $a := .Alerts }}{{ $i }}:{{ .StartsAt.Format "2006-01-02 15:04:05.000 Monday Jan _2 PM" }} {{ $a.EndsAt.Unix }} {{ end }}',
  '{{ (index .Alerts 0).StartsAt }} {{ ((index .Alerts 0).EndsAt.Sub (index .Alerts 0).StartsAt) }} {{ (index .Alerts 0).StartsAt.Weekday }}',
  '{{ (index .Alerts 0).StartsAt.Add 5400000000000 }} {{ ((index .Alerts 0).EndsAt.Sub (index .Alerts 0).StartsAt).Hours }} {{ (index .Alerts 0).StartsAt.Month }}',
  '{{ title "hello wORLD it\'s foo_bar foo-bar a.b 3com" }} {{ toLower "ABC" }} {{ toUpper "äß" }}',
  '{{ match "^Disk" .CommonLabels.alertname }} {{ reReplaceAll "(\\\\d+)" "<$1>" "a1b22" }} {{ stringSlice "a" "b" }} {{ stringSlice "a" "b" | join "," }}',
  '{{ (.CommonLabels.Remove (stringSlice "alertname" "path")).Values | join "," }}|{{ .CommonLabels.nope }}|{{ .GroupLabels.dc }}',
  '{{ printf "%s %q %v %d %5s|%-5s|" .Receiver .Status (len .Alerts) (len .Receiver) "ab" "ab" }}',
  '{{ .CommonLabels.path }} {{ html .CommonLabels.path }} {{ js .CommonLabels.path }} {{ safeHtml "<b>" }}',
  '{{ define "one" }}{{ range . }}{{ .Labels.n }},{{ end }}{{ end }}{{ template "one" .Alerts.Firing }}{{ template "one" .Alerts }}',
  '{{ with .Alerts.Firing }}{{ range . }}x{{ end }}{{ else }}none{{ end }}{{ if and (eq .Status "firing") (ne .Receiver "") }}ok{{ end }}',
  '{{ $x := .CommonLabels }}{{ range $k, $v := $x }}{{ $k }},{{ end }}{{ len (index .Alerts 1).Labels }}',
]

const HTML: readonly string[] = [
  '<p>{{ .CommonLabels.path }}</p>{{ .CommonAnnotations.summary }}',
  '<a href="{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}">x</a>',
  '<a href="{{ .ExternalURL }}/#/alerts?receiver={{ .CommonLabels.path }}">x</a>',
  '<a href="{{ (index .Alerts 0).GeneratorURL }}">s</a><a href="{{ .CommonAnnotations.url }}">u</a>',
  '<a href="{{ .CommonAnnotations.evil }}">e</a><img src=\'/i/{{ .CommonLabels.path }}\'>',
  '<div title="{{ .CommonLabels.path }}" class=\'{{ .Status }}\' data-x="{{ .CommonAnnotations.summary }}">a</div>',
  '<div title={{ .Status }} id={{ .CommonLabels.path }}>a</div>',
  '{{ safeHtml "<b>bold</b> &amp;" }}<p title="{{ safeHtml "<b>a</b> \\"q\\" &amp; c" }}">x</p>',
  '{{ .CommonLabels.path | html }}<p title="{{ .CommonLabels.path | html }}">x</p>',
  '<!-- gone {{ .Status }} -->kept<!-- a -->',
  '<script>var a = {{ .CommonLabels.path }}; var n = {{ len .Alerts }}; var s = "{{ .Status }}";</script>',
  '<style>p { color: {{ .Status }}; }</style><p style="width: {{ len .Alerts }}px">x</p>',
  '<title>{{ .CommonAnnotations.summary }}</title><textarea>{{ .CommonLabels.path }}</textarea>',
  '<button onclick="go({{ .CommonLabels.path }})">x</button>',
  '<a href="{{ template "u" . }}">t</a>{{ define "u" }}{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}{{ end }}',
  '{{ range .Alerts }}<i{{ if eq .Status "firing" }} class="{{ .Status }}"{{ end }}>{{ .Labels.n }}</i>{{ end }}',
  '1 < 2 & 3 > {{ 2 }} {{ "a+b" }}<br/>{{ .CommonLabels.nope }}',
  '<a href="/{{ .Receiver }}/x?y={{ .Receiver }}#{{ .Status }}">p</a>',
]

const SEPARATOR = '\n=====\n'
const amtool = spawnSync('amtool', ['--version'], { encoding: 'utf8' })
const hasAmtool = amtool.status === 0
if (!hasAmtool) console.log('skipped: amtool is not on PATH (Debian: apt install prometheus-alertmanager)')

async function renderWithAmtool(text: string, type: 'text' | 'html'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'belltower-amtool-'))
  try {
    await writeFile(join(folder, 'none.tmpl'), '{{ define "unused" }}{{ end }}')
    await writeFile(join(folder, 'data.json'), JSON.stringify(jsonData()))
    const args = ['--template.glob', join(folder, 'none.tmpl'), '--template.data', join(folder, 'data.json')]
    const run = spawnSync('amtool', ['template', 'render', ...args, '--template.type', type, '--template.text', text], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    })
    expect(run.stderr).toBe('')
    return run.stdout
  } finally {
    await rm(folder, { recursive: true })
  }
}

function jsonData(): unknown {
  const record = (labels: readonly string[]): Record<string, string> =>
    Object.fromEntries(labels.flatMap((name, i) => (i % 2 === 0 ? [[name, labels[i + 1]!]] : [])))
  return {
    receiver: INPUT.receiver,
    status: INPUT.status,
    groupLabels: record(INPUT.groupLabels),
    commonLabels: record(INPUT.commonLabels),
    commonAnnotations: record(INPUT.commonAnnotations),
    externalURL: INPUT.externalUrl,
    alerts: INPUT.alerts.map((a) => ({
      status: a.status,
      labels: record(a.labels),
      annotations: record(a.annotations),
      startsAt: new Date(a.startsAtMs).toISOString(),
      endsAt: new Date(a.endsAtMs!).toISOString(),
      generatorURL: a.generatorUrl,
      fingerprint: a.fingerprint,
    })),
  }
}

test.skipIf(!hasAmtool).each([
  ['text', TEXTS],
  ['html', HTML],
] as const)('%s templates render as in amtool', { timeout: 30_000 }, async (mode, texts) => {
  const text = texts.join(SEPARATOR)
  const set = parseTemplates([], { mode, functions: alertmanagerFunctions({ nowMs: () => START_MS }) })
  const ours = await set.compile({ name: '', text }).execute(notificationData(INPUT))
  const theirs = await renderWithAmtool(text, mode)
  const pairs = (whole: string) =>
    whole
      .trimEnd()
      .split(SEPARATOR)
      .map((part, i) => `${texts[i]} → ${part}`)
  expect(pairs(ours)).toEqual(pairs(theirs))
  expect(pairs(ours)).toHaveLength(texts.length)
})
