import { afterEach, expect, test } from 'vitest'
import { Port } from './port.ts'

let port: Port
afterEach(() => port.close())

test('a router that could not be built is built anew for the next who asks', async () => {
  port = await Port.open({ host: '127.0.0.1', port: 0 })
  let builds = 0
  port.begin(async () => {
    if (++builds === 1) throw new Error('too many open files')
    port.prepare((_request, response) => response.end('well'))
  })
  const ask = async (): Promise<string> => {
    const answer = await fetch(port.url)
    return `${answer.status} ${await answer.text()}`
  }
  expect(await ask()).toBe('500 ')
  expect(await Promise.all([ask(), ask()])).toEqual(['200 well', '200 well'])
  expect(builds).toBe(2)
})
