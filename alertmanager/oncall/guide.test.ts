import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { configOf } from './test-support.ts'

const RECEIVERS = `
route: { receiver: page }
receivers:
  - name: page
    sms_configs: [{ provider: http, url: 'http://gateway/', to: ['+100'] }]
  - { name: managers, webhook_configs: [{ url: 'http://hook/' }] }
`

test('the example of the guide loads as it stands', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/on-call.md'), 'utf8')
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? []
  const { belltower } = parse(example) as { belltower: { on_call: object } }
  const { onCall } = configOf(RECEIVERS, stringify(belltower.on_call))
  expect([...onCall!.people.keys()]).toEqual(['anna', 'boris'])
  expect(onCall!.schedules.get('primary')!.layers.map(({ turns }) => turns)).toEqual([
    [['anna'], ['boris']],
    [['anna', 'boris']],
  ])
  expect(onCall!.receivers.get('page')!.escalation).toMatchObject({ repeat: 2, repeatAfterMs: 1_800_000 })
  expect(onCall!.expectedHeartbeats.map(({ name }) => name)).toEqual(['backup', 'other-site'])
  expect(onCall!.mutedResolved).toBe('after')
})
