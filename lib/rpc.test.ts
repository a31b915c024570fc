import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from './clock.ts'
import { RemoteError, RpcClient, WorkerLostError } from './rpc.ts'
import { startWorker } from './worker.ts'

let worker: Worker | undefined
afterEach(async () => {
  await worker?.terminate()
})

function connect(): RpcClient {
  worker = startWorker(new URL('./rpc-child.ts', import.meta.url))
  return new RpcClient(worker)
}

test('calls may overlap; results, transfers and failures come back to their caller', async () => {
  const rpc = connect()
  const [slow, fast] = await Promise.all([
    rpc.call<string>('echo', { text: 'slow', delayMs: 50 }),
    rpc.call<string>('echo', { text: 'fast', delayMs: 0 }),
  ])
  expect([slow, fast]).toEqual(['slow', 'fast'])
  expect(await rpc.call<Uint8Array>('bytes', 3)).toEqual(new Uint8Array([7, 7, 7]))
  await expect(rpc.call('fail', undefined)).rejects.toMatchObject({
    message: 'broken',
    code: 'ERR_CHILD',
    httpStatus: 418,
  })
  await expect(rpc.call('fail', undefined)).rejects.toBeInstanceOf(RemoteError)
  await expect(rpc.call('nothing', undefined)).rejects.toThrow('unknown method nothing')
})

test('when the worker dies, open calls fail', async () => {
  const rpc = connect()
  await rpc.call('echo', { text: 'up', delayMs: 0 })
  await expect(rpc.call('die', undefined)).rejects.toBeInstanceOf(WorkerLostError)
})

test('the manual clock runs callbacks in order of their time', async () => {
  const clock = new ManualClock(1000)
  const seen: string[] = []
  clock.schedule(20, () => seen.push(`b at ${clock.nowMs()}`))
  clock.schedule(10, () => {
    seen.push(`a at ${clock.nowMs()}`)
    clock.schedule(5, () => seen.push(`c at ${clock.nowMs()}`))
  })
  const cancel = clock.schedule(12, () => seen.push('never'))
  cancel()
  await clock.advance(20)
  expect(seen).toEqual(['a at 1010', 'c at 1015', 'b at 1020'])
  expect(clock.nowMs()).toBe(1020)
})
