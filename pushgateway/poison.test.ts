import { expect, test } from 'vitest'
import { readExposition } from '../model/index.ts'
import { start } from '../tests/support/push-client.ts'

// Goal: whatever is pushed, the page stays one that a scraper takes, and what stood on it stays. Method: a good page, then
// pushes that have broken it in the original or are wrong in some other way; after each one the page is parsed strictly.

const BAD: readonly (readonly [what: string, path: string, body: string])[] = [
  ['the same group by an empty instance, refused', 'job/a/instance/', 'x 1 1\n'],
  ['another type', 'job/b', '# TYPE x counter\nx 1\n'],
  ['a type of the process itself', 'job/b', '# TYPE pushgateway_groups counter\npushgateway_groups 1\n'],
  ['the same series twice', 'job/b', 'y 1\ny 2\n'],
  ['the same series with labels in another order', 'job/b', 'y{a="1",b="2"} 1\ny{b="2",a="1"} 2\n'],
  ["another group's series", 'job/a', 'x{instance="i"} 1\n'],
  ["another group's series by job", 'job/a', 'x{job="a",instance="i"} 1\n'],
  ['a timestamp', 'job/b', 'y 1 1700000000000\n'],
  ['no line feed', 'job/b', 'y 1'],
  ['a part of a histogram as a metric', 'job/b', 'h_bucket{le="1"} 1\n'],
  ['a histogram over metrics', 'job/b', '# TYPE plain histogram\nplain_sum 1\nplain_count 1\n'],
  ['a reserved label', 'job/b', 'y{__reserved="1"} 1\n'],
  ['a label twice', 'job/b', 'y{a="1",a="2"} 1\n'],
  ['the name as a label', 'job/b', 'y{__name__="x"} 1\n'],
  ['no value', 'job/b', 'y\n'],
  ['a value of letters', 'job/b', 'y abc\n'],
  ['an open quote', 'job/b', 'y{a="1} 1\n'],
  ['a name with a dash', 'job/b', 'a-b 1\n'],
  ['a type after samples', 'job/b', 'y 1\n# TYPE y gauge\n'],
  ['an unknown type', 'job/b', '# TYPE y enum\ny 1\n'],
  ['a bucket without a number', 'job/b', '# TYPE y histogram\ny_bucket{le="x"} 1\n'],
  ['help twice', 'job/b', '# HELP y a\n# HELP y b\ny 1\n'],
]
const GOOD = '# TYPE x gauge\nx 1\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 2\nh_count 2\n'

test('the page survives every bad push, and so do later good ones', async () => {
  const { send, page, pushed, app } = await start()
  expect(await send('PUT', '/metrics/job/a', GOOD)).toBe('200')
  expect(await send('PUT', '/metrics/job/a/instance/i', GOOD)).toBe('200')
  expect(await send('PUT', '/metrics/job/plain', 'plain_sum 1\n')).toBe('200')
  const before = await pushed()
  for (const [what, path, body] of BAD) {
    expect(await send('POST', `/metrics/${path}`, body), what).toMatch(/^400 ./)
    expect(await pushed(), what).toEqual(before)
    const series = readExposition(Buffer.from(await page()), 'text').flatMap(({ samples }) =>
      samples.map(({ labels }) => labels.join('\u00ff')),
    )
    expect(new Set(series).size, what).toBe(series.length)
    expect((await app.inject('/metrics')).statusCode).toBe(200)
    expect(await send('POST', '/metrics/job/later', 'z 1\n'), what).toBe('200')
    await send('DELETE', '/metrics/job/later')
  }
})

test('a broken UTF-8 value in a path or a body never reaches the page', async () => {
  const { send, pushed } = await start()
  expect(await send('PUT', '/metrics/job/a/l@base64/_w', 'x 1\n')).toMatch(/^400 .*not UTF-8/)
  expect(await send('PUT', '/metrics/job/%ff', 'x 1\n')).toMatch(/^400/)
  expect(await send('PUT', '/metrics/job/a', Buffer.from('x{l="\xff"} 1\n', 'latin1'))).toMatch(/^400 .*UTF-8/)
  expect(await pushed()).toEqual([])
})
