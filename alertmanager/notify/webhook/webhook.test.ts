import { expect, test } from 'vitest'
import { Scenario, START_MS } from '../../test-support.ts'

const config = (settings: string): string => `
route:
  receiver: team.x
  group_by: [alertname]
  group_wait: 1s
  labels: { owner: '{{ .CommonLabels.team }}!' }
receivers: [{ name: team.x, webhook_configs: [{ ${settings} }] }]
`
const iso = (second: number): string => new Date(START_MS + second * 1000).toISOString().replace('.000Z', 'Z')

async function sent(settings: string) {
  const scenario = await Scenario.start(config(settings))
  const labels = (instance: string) => ({ team: 'a', instance })
  await scenario.run(
    [
      [
        0,
        () =>
          scenario.push(
            { name: 'Down', labels: labels('one'), annotation: 'same', startS: -0.5 },
            { name: 'Down', labels: labels('two'), annotation: 'same', startS: -20, endS: -10 },
          ),
      ],
    ],
    2,
  )
  return scenario.client.requests.map(({ request }) => ({
    ...request,
    body: JSON.parse(request.body as string) as unknown,
  }))
}

test('the body is version 4', async () => {
  const [request] = await sent("url: 'http://hook/{{ .GroupLabels.alertname }}'")
  expect(request).toMatchObject({
    url: 'http://hook/Down',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': expect.stringMatching(/^Alertmanager\/0\.\d+\.\d+$/) },
  })
  const alert = { annotations: { ann: 'same' }, generatorURL: '', fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) }
  expect(request!.body).toEqual({
    version: '4',
    groupKey: '{}:{alertname="Down"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'team\\.x',
    groupLabels: { alertname: 'Down' },
    commonLabels: { alertname: 'Down', team: 'a' },
    commonAnnotations: { ann: 'same' },
    routeLabels: { owner: 'a!' },
    externalURL: 'http://127.0.0.1:9090/alertmanager',
    notification_reason: 'first notification',
    alerts: [
      {
        ...alert,
        status: 'firing',
        labels: { alertname: 'Down', instance: 'one', team: 'a' },
        startsAt: new Date(START_MS - 500).toISOString().replace('500Z', '5Z'),
        endsAt: '0001-01-01T00:00:00Z',
      },
      {
        ...alert,
        status: 'resolved',
        labels: { alertname: 'Down', instance: 'two', team: 'a' },
        startsAt: iso(-20),
        endsAt: iso(-10),
      },
    ],
  })
})

test('max_alerts cuts and says how many are missing', async () => {
  const [request] = await sent("url: 'http://hook/', max_alerts: 1")
  expect(request!.body).toMatchObject({ truncatedAlerts: 1, alerts: [{ labels: { instance: 'one' } }] })
})

test('a payload of its own keeps the types that its templates give', async () => {
  const payload = `{ text: '{{ .Status }}: {{ .CommonLabels.alertname }}', n: '{{ len .Alerts }}', list: ['{{ toJson .GroupLabels }}'], on: true }`
  const [request] = await sent(`url: 'http://hook/', payload: ${payload}`)
  expect(request!.body).toEqual({ text: 'firing: Down', n: 2, list: [{ alertname: 'Down' }], on: true })
})

test('a receiver can be tried', async () => {
  const scenario = await Scenario.start(config("url: 'http://hook/'"))
  const outcome = { integration: 'webhook', index: 0 }
  expect(await scenario.alertmanager.sendTest('team.x')).toEqual([
    { ...outcome, delivered: true, detail: 'status 200', error: '' },
  ])
  expect(scenario.client.requests[0]!.request.body).toContain('A test of this receiver')
  scenario.client.answer = () => 403
  expect(await scenario.alertmanager.sendTest('team.x')).toEqual([
    { ...outcome, delivered: false, detail: '', error: 'unexpected status code 403' },
  ])
  expect(await scenario.alertmanager.sendTest('nobody')).toEqual([])
  await scenario.alertmanager.stop()
})

test('the URL is a secret: it does not show when it fails', async () => {
  const scenario = await Scenario.start(config("url: 'http://hook/geheim'"))
  scenario.client.answer = () => 'timeout'
  await scenario.run([[0, () => scenario.push({ name: 'Down' })]], 400)
  const [event] = scenario.alertmanager.notifications()
  expect(event!.error).toContain('<secret>: no answer in time')
  expect(event!.error).not.toContain('geheim')
})

test('a template that is defined nowhere is found when the configuration is applied, and changes nothing', async () => {
  const broken = config(`url: 'http://hook/', payload: { a: '{{ template "nowhere" . }}' }`)
  await expect(Scenario.start(broken)).rejects.toThrow(/team\.x\/webhook\/0 payload\.a: .*nowhere/)
  await expect(Scenario.start(config(`url: 'http://hook/', payload: { a: '{{ .Status' }`))).rejects.toThrow(
    /payload\.a/,
  )
})

test('every template is looked at when the configuration is applied, and a fault says where it stands', async () => {
  const receivers = (settings: string): string =>
    `route: { receiver: r, labels: { a: '{{ .Statsu }}' } }\nreceivers:\n  - name: r\n    slack_configs:\n      - api_url: http://slack/x\n        ${settings}\n`
  const text = `title: '{{ if .Nothing }}x{{ end }}'\n        fields:\n          - { title: a, value: '{{ if eq .Status "resolved" }}{{ template "gone" . }}{{ end }}' }`
  await expect(Scenario.start(receivers(text))).rejects.toThrow(
    new RegExp(
      [
        String.raw`/etc/alertmanager\.yml:6:9: receivers\.0\.slack_configs\.0\.title: r/slack/0 title: .*can't evaluate field Nothing`,
        String.raw`/etc/alertmanager\.yml:8:\d+: receivers\.0\.slack_configs\.0\.fields\.0\.value: .*template "gone" not defined`,
        String.raw`/etc/alertmanager\.yml:1:1: route: route \{\} label a.*can't evaluate field Statsu`,
      ].join(String.raw`[^]*`),
    ),
  )
  // What depends on the data is no fault.
  const fine = await Scenario.start(receivers(`title: '{{ (index .Alerts 5).Status }}'`).replace('.Statsu', '.Status'))
  await fine.alertmanager.stop()
})
