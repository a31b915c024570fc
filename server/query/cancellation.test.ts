import { expect, test } from 'vitest'
import { Cancellation } from './cancellation.ts'

test('those who listen are told, once; those who have stopped listening are not', () => {
  const cancellation = new Cancellation()
  const told: string[] = []
  const forgotten = (): void => void told.push('forgotten')
  cancellation.listen(() => told.push('a'))
  cancellation.listen(forgotten)
  cancellation.listen(() => told.push('b'))
  cancellation.forget(forgotten)
  cancellation.forget(forgotten)
  expect(cancellation.isCancelled).toBe(false)
  cancellation.cancel()
  cancellation.cancel()
  expect(cancellation.isCancelled).toBe(true)
  expect(told).toEqual(['a', 'b'])
})
