import { expect, test } from 'vitest'
import { QuickQueries, quickKeyOf } from './quick-queries.ts'

test('a query is quick from the fourth time on, until it was slow', () => {
  const queries = new QuickQueries()
  const key = quickKeyOf({ expr: 'up' })
  for (const runMs of [0, 20, 1]) {
    expect(queries.isQuick(key)).toBe(false)
    queries.learn(key, runMs)
  }
  expect(queries.isQuick(key)).toBe(true)
  queries.learn(key, 21)
  expect(queries.isQuick(key)).toBe(false)
  for (const runMs of [1, 1, 21, 1, 1]) queries.learn(key, runMs)
  expect(queries.isQuick(key)).toBe(false)
})

test('when it is asked does not matter, over how long it does', () => {
  const range = { expr: 'up', startMs: 1000, endMs: 5000, stepMs: 100 }
  const key = quickKeyOf(range)
  expect(quickKeyOf({ ...range, startMs: 3000, endMs: 7000 })).toBe(key)
  for (const other of [{ endMs: 6000 }, { stepMs: 50 }, { expr: 'down' }]) {
    expect(quickKeyOf({ ...range, ...other })).not.toBe(key)
  }
})

test('only so many are known, the latest', () => {
  const queries = new QuickQueries()
  const learn = (key: string): void => [1, 1, 1].forEach((runMs) => queries.learn(key, runMs))
  for (let i = 0; i < 2000; i++) learn(`${i}`)
  expect(queries.isQuick('0')).toBe(false)
  expect(queries.isQuick('1999')).toBe(true)
})
