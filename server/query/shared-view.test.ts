import { expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import type { Querier, Queryable } from '../../model/index.ts'
import { RepeatedSelects } from './repeated-selects.ts'
import { SharedView } from './shared-view.ts'

const RANGE = { minTimeMs: 0, maxTimeMs: 1 }

test('queries share one view, which is opened anew when it has grown old, and closed once', async () => {
  const events: string[] = []
  let opened = 0
  const store: Queryable = {
    querier() {
      const id = ++opened
      events.push(`open ${id}`)
      return {
        labelNames: () => [String(id)],
        close: () => events.push(`close ${id}`),
      } as Partial<Querier> as Querier
    },
  }
  const clock = new ManualClock()
  const view = new SharedView(store, clock, new RepeatedSelects())
  const ask = (): string[] => {
    const querier = view.querier(RANGE)
    const names = querier.labelNames([], RANGE)
    querier.close()
    return names
  }
  expect([ask(), ask()]).toEqual([['1'], ['1']])
  await clock.advance(101)
  expect(ask()).toEqual(['2'])
  view.close()
  view.close()
  expect(events).toEqual(['open 1', 'close 1', 'open 2', 'close 2'])
})
