import { expect, test } from 'vitest'
import { labelsFromRecord } from '../../model/index.ts'
import { Scenario } from '../test-support.ts'

const CONFIG = `
route:
  receiver: root
  routes:
    - matchers: [owner=~"team-(B|C)", severity="page"]
      receiver: first
      continue: true
      group_by: [alertname, '🙂']
    - match_re: { owner: team-(B|C) }
      receiver: second
      group_by: ['...']
      routes: [{ match: { env: test }, receiver: third }]
receivers: [{ name: root }, { name: first }, { name: second }, { name: third }]
`

test.each([
  [{ a: 'b' }, ['root {}:{}']],
  [
    { owner: 'team-B', severity: 'page', alertname: 'a "b"\n', '🙂': '🙂' },
    [
      'first {}/{owner=~"team-(B|C)",severity="page"}:{alertname="a \\"b\\"\\n", 🙂="🙂"}',
      'second {}/{owner=~"^(?:team-(B|C))$"}:{alertname="a \\"b\\"\\n", owner="team-B", severity="page", 🙂="🙂"}',
    ],
  ],
  [
    { owner: 'team-C', env: 'test' },
    ['third {}/{owner=~"^(?:team-(B|C))$"}/{env="test"}:{env="test", owner="team-C"}'],
  ],
])('%o', async (labels, wanted) => {
  const { alertmanager } = await Scenario.start(CONFIG)
  const found = alertmanager.routeFor(labelsFromRecord(labels as Record<string, string>))
  await alertmanager.stop()
  expect(found.map(({ receiver, groupKey }) => `${receiver} ${groupKey}`)).toEqual(wanted)
})
