import { afterEach, beforeEach, expect, test } from 'vitest'
import { attempt, Double, GROUP_HASH, notificationOf, notifierOf } from '../test-support.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(() => ({ status: 202, json: { status: 'success', message: 'Event processed' } }))
})
afterEach(() => double.close())

const settings = (more: string): string =>
  `pagerduty_configs: [{ routing_key: key, url: '${double.url}/v2/enqueue', ${more} }]`

test('an event of version 2 with the defaults that users know', async () => {
  await attempt(notifierOf(settings('')))
  expect(double.heard[0]!.path).toBe('/v2/enqueue')
  expect(double.json()).toMatchObject({
    routing_key: 'key',
    event_action: 'trigger',
    dedup_key: GROUP_HASH,
    client: 'Belltower',
    client_url: 'http://am/#/alerts?receiver=r',
    payload: {
      summary: '[FIRING:2] Down (critical)',
      source: 'Belltower',
      severity: 'error',
      custom_details: { num_firing: 2, num_resolved: 0, resolved: [], firing: [{ labels: { instance: 'one' } }, {}] },
    },
  })
  await attempt(notifierOf(settings('')), notificationOf('resolved'))
  expect(double.json()).toMatchObject({ event_action: 'resolve', dedup_key: GROUP_HASH })
})

test('details keep their types; empty images and links are left out', async () => {
  const more = `
    severity: '{{ .CommonLabels.severity }}', source: '{{ .CommonLabels.job }}', class: c, component: k, group: g,
    details: { firing: gone, list: [1, '{{ .Status }}'], deep: { n: '{{ len .Alerts }}' } },
    images: [{ src: 'http://i', alt: a }, { src: '{{ .CommonLabels.nothing }}' }], links: [{ href: '' }, { href: 'http://l', text: t }]`
  await attempt(notifierOf(settings(more)))
  expect(double.json()).toMatchObject({
    images: [{ src: 'http://i', alt: 'a', href: '' }],
    links: [{ href: 'http://l', text: 't' }],
    payload: {
      severity: 'critical',
      class: 'c',
      component: 'k',
      group: 'g',
      custom_details: { firing: 'gone', list: [1, 'firing'], deep: { n: 2 }, num_firing: 2 },
    },
  })
})

test('an event that is too large goes without its details', async () => {
  const huge = notificationOf('firing', { annotations: { description: 'x'.repeat(300_000) } })
  await attempt(notifierOf(settings('')), huge)
  expect(double.heard[0]!.body.length).toBeLessThan(512_000)
  expect(double.json()['payload']).toMatchObject({ custom_details: { error: expect.stringContaining('left out') } })
})

test('version 1 by service_key', async () => {
  await attempt(
    notifierOf(`pagerduty_configs: [{ service_key: key, url: '${double.url}/generic' }]`),
    notificationOf('firing'),
  )
  expect(double.json()).toMatchObject({
    service_key: 'key',
    event_type: 'trigger',
    incident_key: GROUP_HASH,
    description: '[FIRING:2] Down (critical)',
    details: { num_firing: 2 },
  })
})

test('a refusal says why', async () => {
  const errors = ["'payload.source' is missing or blank"]
  double.answer = () => ({ status: 400, json: { status: 'invalid event', message: 'Event object is invalid', errors } })
  expect(await attempt(notifierOf(settings('')))).toMatchObject({
    failure: 'clientError',
    message: `unexpected status code 400: Event object is invalid: ${errors[0]}`,
  })
})
