import { expect, test } from 'vitest'
import { commonLabelNames, formatSeries, seriesName } from './series-name.ts'

test('a legend text takes label values; hostile ones stay text', () => {
  expect(seriesName({ mode: '<img src=x>' }, '{{mode}} of {{ cpu }}', new Set())).toBe('<img src=x> of ')
})

test('without a legend text only what differs is shown', () => {
  const series = [
    { __name__: 'up', job: 'a', instance: 'x:1' },
    { __name__: 'up', job: 'a', instance: 'y:1' },
  ]
  const common = commonLabelNames(series)
  expect([...common]).toEqual(['job'])
  expect(seriesName(series[0]!, undefined, common)).toBe('up{instance="x:1"}')
})

test('a single series shows all its labels, none at all shows braces', () => {
  expect(formatSeries({ __name__: 'up', job: 'a' }, commonLabelNames([{ job: 'a' }]))).toBe('up{job="a"}')
  expect(formatSeries({})).toBe('{}')
})
