import { expect, test } from 'vitest'
import { createMatcher, type MatchType } from '../model/index.ts'
import { parseAlertmanagerConfig } from './index.ts'
import { type PushedAlert, Scenario, START_MS } from './test-support.ts'

const RECEIVERS = `
receivers:
  - { name: r1, webhook_configs: [{ url: 'http://hook/1' }] }
  - { name: r2, webhook_configs: [{ url: 'http://hook/2' }] }
  - { name: r3, webhook_configs: [{ url: 'http://hook/3' }] }
  - { name: quiet, webhook_configs: [{ url: 'http://hook/quiet', send_resolved: false }] }
`
const TIMES = 'group_wait: 1s, group_interval: 2s, repeat_interval: 1h'
/** Told at second 1, then every other second as far as there is something to tell. */
export const conf = (route: string, more = ''): string =>
  `route: { receiver: r3, ${TIMES}, ${route} }\n${more}${RECEIVERS}`
/** A route's grouping. */
export const byName = 'group_by: [alertname]'

/** What happens at a second. */
export type Step = readonly [atS: number, act: (s: Scenario) => unknown]
/** Alerts that come. */
export const push =
  (...alerts: PushedAlert[]) =>
  (s: Scenario): unknown =>
    s.push(...alerts)
/** An alert of the name T, from second 0 on. */
export const T = (labels: Record<string, string> = {}, more: Partial<PushedAlert> = {}): PushedAlert => ({
  name: 'T',
  startS: 0,
  labels,
  ...more,
})
/** A silence of one matcher, by seconds. */
export const silence =
  (fromS: number, toS: number, name: string, type: MatchType, value: string) =>
  (s: Scenario): unknown =>
    s.alertmanager.setSilence({
      matchers: [createMatcher(type, name, value)],
      startsAtMs: START_MS + fromS * 1000,
      endsAtMs: START_MS + toS * 1000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
export const reload =
  (config: string) =>
  (s: Scenario): unknown =>
    s.alertmanager.applyConfig(parseAlertmanagerConfig('/etc/alertmanager.yml', config))

/** What is done at which second, and what must have been told by then. */
export interface Case {
  readonly what: string
  readonly config: string
  readonly steps: readonly Step[]
  readonly endS: number
  /** By path of the webhook; the others hear nothing. */
  readonly told: Readonly<Record<string, readonly string[]>>
}

/** A test for each of the cases. */
export function playCases(cases: readonly Case[]): void {
  test.each(cases)('$what', async ({ config, steps, endS, told }) => {
    const s = await Scenario.start(config)
    await s.run(
      steps.map(([atS, act]) => [atS, () => act(s)]),
      endS,
    )
    const heard = Object.fromEntries(
      ['/1', '/2', '/3', '/quiet'].map((path) => [path, s.received(path)] as const).filter(([, all]) => all.length > 0),
    )
    expect(heard).toEqual(told)
  })
}
