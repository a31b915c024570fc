import { expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import { Registry } from '../../lib/metrics.ts'
import { IntervalLengths } from './interval-lengths.ts'

const NAME = 'prometheus_target_interval_length_seconds'

test('shows quantiles of the last ten minutes, sum and count of all', async () => {
  const clock = new ManualClock(5000)
  const registry = new Registry()
  const lengths = new IntervalLengths(registry, clock)
  const lines = async (interval: string): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.includes(`interval="${interval}"`))
  const expected = (values: readonly number[], sum: number, count: number): string[] => [
    ...[0.01, 0.05, 0.5, 0.9, 0.99].map((q, i) => `${NAME}{interval="2s",quantile="${q}"} ${values[i]}`),
    `${NAME}_sum{interval="2s"} ${sum}`,
    `${NAME}_count{interval="2s"} ${count}`,
  ]
  for (let i = 0; i < 90; i++) lengths.count('2s', 2000)
  for (let i = 0; i < 10; i++) lengths.count('2s', i < 2 ? 1990 : 2010)
  lengths.count('5m', 299_700)
  expect(await lines('2s')).toEqual(expected([1.99, 2, 2, 2, 2.01], 200.06, 100))
  expect((await lines('5m'))[2]).toBe(`${NAME}{interval="5m",quantile="0.5"} 300`)
  await clock.advance(300_000)
  lengths.count('2s', 4000)
  expect(await lines('2s')).toEqual(expected([1.99, 2, 2, 2, 2.01], 204.06, 101))
  await clock.advance(360_000)
  expect(await lines('2s')).toEqual(expected([4, 4, 4, 4, 4], 204.06, 101))
  await clock.advance(3_600_000)
  expect(await lines('2s')).toEqual(expected([0, 0, 0, 0, 0], 204.06, 101))
  expect(await registry.metrics()).toContain(`# TYPE ${NAME} summary`)
})
