import { expect, test } from 'vitest'
import { labelsFromRecord } from '../model/index.ts'
import {
  alertmanagerFunctions,
  compileTemplate,
  type GoValue,
  goKv,
  GoStruct,
  GoTime,
  notificationData,
  prometheusFunctions,
} from './index.ts'

const NOW_MS = Date.UTC(2026, 6, 5, 12, 0, 0)
const AT = GoTime.fromUnixMs(NOW_MS - 90_500)
const KV = goKv(labelsFromRecord({ zone: 'eu', alertname: 'Down', job: 'node' }))
const DATA = new GoStruct('main.Data', { At: AT, KV, RouteLabels: goKv(labelsFromRecord({ team: 'infra' })) })

const alertmanager = (text: string, data: GoValue = DATA): Promise<string> =>
  compileTemplate({ name: 't', text }, { functions: alertmanagerFunctions({ nowMs: () => NOW_MS }) }).execute(data)

const NOTIFICATION_CASES: readonly (readonly [string, string])[] = [
  ['{{ since .At }} {{ since .At | humanizeDuration }} {{ (since .At).Seconds }}', '1m30.5s 1m 30s 90.5'],
  [
    '{{ .At | date "2006-01-02" }} {{ (.At | tz "Europe/Berlin").Format "15:04 MST -0700" }}',
    '2026-07-05 13:58 CEST +0200',
  ],
  [
    '{{ (.At | tz "America/New_York").Format "Mon 3:04PM MST" }} {{ tz "Asia/Kolkata" .At | date "15:04 -07:00" }}',
    'Sun 7:58AM EDT 17:28 +05:30',
  ],
  ['{{ now.UTC.Format "15:04" }} {{ (tz "UTC" .At).Location }}'.replace(' {{ (tz "UTC" .At).Location }}', ''), '12:00'],
  ['{{ (toDate "2006-01-02T15:04:05Z07:00" "2026-03-04T05:06:07+02:00").UTC }}', '2026-03-04 03:06:07 +0000 UTC'],
  [
    '{{ (toDate "2006-01-02" "nonsense").IsZero }} {{ (mustToDate "02 Jan 06 3:04PM MST" "04 Mar 26 5:06AM UTC").UTC.Unix }}',
    'true 1772600760',
  ],
  [
    '{{ .KV | toJson }} {{ toJson (dict "a" 1 "b" (list true nil 1.5 "<")) }}',
    '{"alertname":"Down","job":"node","zone":"eu"} {"a":1,"b":[true,null,1.5,"\\u003c"]}',
  ],
  [
    '{{ toJson .At }} {{ toJson .KV.SortedPairs }}',
    '"2026-07-05T11:58:29.5Z" [{"Name":"alertname","Value":"Down"},{"Name":"job","Value":"node"},{"Name":"zone","Value":"eu"}]',
  ],
  [
    '{{ base64encode "häi" }} {{ base64decode "aMOkaQ==" }} {{ urlUnescape "a%20b+c%C3%A4" }} {{ trimSpace "  x " }}|',
    'aMOkaQ== häi a b cä x|',
  ],
  ['{{ $l := append (list 1 2) 3 "x" }}{{ $l }} {{ len $l }} {{ (dict "k" "v").k }}', '[1 2 3 x] 4 v'],
  [
    '{{ .KV }}|{{ .KV.SortedPairs }}|{{ .KV.String }}|{{ (.KV.Remove (stringSlice "job")).Names }}',
    'alertname=Down, job=node, zone=eu|alertname=Down, job=node, zone=eu|alertname=Down, job=node, zone=eu|[alertname zone]',
  ],
  ['{{ routeLabels "team" }}|{{ routeLabels "nope" }}', 'infra|'],
  ['{{ join ", " .KV.Values }} {{ stringSlice "a" "b" | join "-" }}', 'Down, node, eu a-b'],
]

test.each(NOTIFICATION_CASES)('notifications: %j prints %j', async (text, want) => {
  expect(await alertmanager(text)).toBe(want)
})

const NOTIFICATION_ERRORS: readonly (readonly [string, string])[] = [
  ['{{ tz "Mars/Base" .At }}', 'error calling tz: unknown time zone Mars/Base'],
  [
    '{{ mustToDate "2006-01-02" "2026-13-01" }}',
    'error calling mustToDate: parsing time "2026-13-01": month out of range',
  ],
  ['{{ base64decode "a" }}', 'error calling base64decode: illegal base64 data'],
  ['{{ urlUnescape "%zz" }}', 'error calling urlUnescape: invalid URL escape "%zz"'],
  ['{{ dict "a" }}', 'error calling dict: dict requires an even number of arguments'],
  ['{{ join "," 5 }}', "can't handle 5 for arg of type []string"],
  ['{{ match "(" "a" }}', 'error calling match: error parsing regexp: missing closing ): `(`'],
]

test.each(NOTIFICATION_ERRORS)('notifications: %j stops: %s', async (text, want) => {
  await expect(alertmanager(text)).rejects.toThrow(want)
})

test('toJson of the whole notification has the names of the webhook', async () => {
  const alert = {
    status: 'firing',
    annotations: [],
    startsAtMs: NOW_MS,
    endsAtMs: undefined,
    generatorUrl: 'u',
    fingerprint: 'f',
  } as const
  const data = notificationData({
    receiver: 'r',
    status: 'firing',
    alerts: [{ ...alert, labels: ['a', 'b'] }],
    groupLabels: [],
    commonLabels: ['a', 'b'],
    commonAnnotations: [],
    routeLabels: [],
    externalUrl: 'http://x',
    notificationReason: 'new',
  })
  expect(JSON.parse(await alertmanager('{{ toJson . }}', data))).toEqual({
    receiver: 'r',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { a: 'b' },
        annotations: {},
        startsAt: '2026-07-05T12:00:00Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'u',
        fingerprint: 'f',
      },
    ],
    groupLabels: {},
    commonLabels: { a: 'b' },
    commonAnnotations: {},
    routeLabels: {},
    externalURL: 'http://x',
    notification_reason: 'new',
  })
})

const PROMETHEUS_CASES: readonly (readonly [string, string])[] = [
  ['{{ now }} {{ toDuration 90.5 }} {{ humanizeDuration (toDuration 3600) }}', '1.7832528e+09 1m30.5s 1h 0m 0s'],
  ['{{ externalURL }} {{ pathPrefix }} {{ urlQueryEscape "a b&" }}', 'http://p.example/base /base a+b%26'],
  ['{{ define "x" }}<{{ .arg0 }}>{{ end }}{{ tmpl "x" (args 1) }}{{ tmpl "x" (args 2) | printf "%s!" }}', '<1><2>!'],
  ['{{ with query "v" }}{{ . | first | value }}{{ end }}', '5'],
]

test.each(PROMETHEUS_CASES)('rules: %j prints %j', async (text, want) => {
  const functions = prometheusFunctions({
    query: async (_, timestampMs) => ({ type: 'vector', samples: [{ labels: [], timestampMs, value: 5 }] }),
    timeMs: NOW_MS,
    externalUrl: 'http://p.example/base',
  })
  expect(await compileTemplate({ name: 't', text }, { functions }).execute(undefined)).toBe(want)
})
